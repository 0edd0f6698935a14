"""What this process is at just now, so that it can be told to stop."""

import asyncio
from collections.abc import Coroutine


class WorkCancelled(Exception):
    """Somebody asked for this piece of work to end."""


class Running:
    """Pieces of work, each known by its subject's id."""

    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def run(self, subject: str, work: Coroutine[None, None, None]) -> None:
        """Do the work. Raises `WorkCancelled` when `cancel` ended it, and whatever it raises."""
        task = asyncio.ensure_future(work)
        self._tasks[subject] = task
        try:
            await task
        except asyncio.CancelledError:
            if not task.cancelled():
                # It is we who are being stopped, and what we wait for with us.
                task.cancel()
                raise
            raise WorkCancelled from None
        finally:
            self.keep(subject)

    def cancel(self, subject: str) -> None:
        """End the work on a subject, if this process is at it and it may still be ended."""
        if task := self._tasks.get(subject):
            task.cancel()

    def keep(self, subject: str) -> None:
        """Let no later `cancel` end the work on a subject."""
        self._tasks.pop(subject, None)
