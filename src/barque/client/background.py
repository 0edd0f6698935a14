"""An event loop in a thread of its own, for blocking callers of what is done in asyncio.

A blocking WebSocket would have one lock for reading and writing, and stand still for ever where
both sides write more than fits on the way.
"""

import asyncio
from collections.abc import Coroutine
from threading import Thread
from typing import Any, TypeVar

T = TypeVar("T")


class Background:
    """The loop, which runs until it is closed."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def carry(self, work: Coroutine[Any, Any, T]) -> T:
        """Have a coroutine carried out there, and return what comes of it."""
        doing = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return doing.result()
        except BaseException:
            # Whoever is interrupted waits for it no more.
            doing.cancel()
            raise

    def close(self) -> None:
        """End what is done there, and the thread."""
        self.carry(_cancel_the_rest())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


async def _cancel_the_rest() -> None:
    rest = asyncio.all_tasks() - {asyncio.current_task()}
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)
