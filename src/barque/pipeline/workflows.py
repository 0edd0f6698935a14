"""Durable work on DBOS: what was begun is carried out, also by the next process.

The reasons are in `docs/decisions/0001-durable-work.md`. A workflow here is one kind of work on one
subject, and its id is made of both, so that beginning it twice is beginning it once. The work
itself must be safe to do again from its start, since that is what a killed process leaves.
"""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from datetime import datetime

import structlog
from dbos import DBOS, DBOSConfig, SetWorkflowID

from barque.store.unavailable import StoreUnavailable

Work = Callable[[str], Coroutine[None, None, None]]

# Set by hand: an upgrade of Barque must carry on what the version before it began.
_VERSION = "1"
_AGAIN = 1.0

log = structlog.get_logger()
_ENDED = ["SUCCESS", "ERROR", "CANCELLED"]


class Pipeline:
    """The kinds of work, and the loop that they run on."""

    def __init__(self, url: str) -> None:
        self._kinds: dict[str, Work] = {}
        self._home: asyncio.AbstractEventLoop | None = None
        self._later: set[asyncio.Task[None]] = set()
        self._config: DBOSConfig = {
            "name": "barque",
            "system_database_url": url,
            "application_version": _VERSION,
            "executor_id": "local",
            "log_level": "WARNING",
        }

    def register(self, kind: str, work: Work) -> None:
        """Say how one kind of work is done, before the start."""
        self._kinds[kind] = work

    async def start(self) -> None:
        """Launch, and carry on what the last process left unfinished."""
        global _pipeline  # noqa: PLW0603 - DBOS finds a workflow by its module's name
        _pipeline = self
        self._home = asyncio.get_running_loop()
        DBOS(config=self._config)
        await asyncio.to_thread(DBOS.launch)

    async def begin(self, kind: str, subject: str) -> None:
        """Begin work on a subject, unless that was begun before.

        When it cannot be noted down now (a full disk, say), it is begun as soon as it can: what
        asked for it is in the store already, and is not taken back.
        """
        try:
            await self._begin(kind, subject)
        except Exception:
            log.exception("work is begun later", kind=kind, subject=subject)
            task = asyncio.create_task(self._begin_later(kind, subject))
            self._later.add(task)
            task.add_done_callback(self._later.discard)

    async def _begin(self, kind: str, subject: str) -> None:
        with SetWorkflowID(f"{kind}:{subject}"):
            await DBOS.start_workflow_async(carry_out, kind, subject)

    async def _begin_later(self, kind: str, subject: str) -> None:
        while True:
            await asyncio.sleep(_AGAIN)
            with contextlib.suppress(Exception):
                await self._begin(kind, subject)
                return

    async def forget(self, before: datetime, most: int) -> int:
        """Delete what is known of work that ended before a moment, and return of how many.

        What has not ended is never touched, however old it is.
        """
        found = await DBOS.list_workflows_async(
            status=_ENDED, completed_before=before.isoformat(), limit=most,
            load_input=False, load_output=False,
        )  # fmt: skip
        if found:
            await DBOS.delete_workflows_async([one.workflow_id for one in found])
        return len(found)

    async def carry_out(self, kind: str, subject: str) -> None:
        """Do the work on the platform's own loop; DBOS recovers on another."""
        if self._home is None or self._home is asyncio.get_running_loop():
            await self._persist(kind, subject)
            return
        there = asyncio.run_coroutine_threadsafe(self._persist(kind, subject), self._home)
        await asyncio.wrap_future(there)

    async def _persist(self, kind: str, subject: str) -> None:
        """Do the work, once more from its start whenever the store did not answer meanwhile."""
        while True:
            try:
                await self._kinds[kind](subject)
            except StoreUnavailable as error:
                log.warning("work has to wait", kind=kind, subject=subject, reason=str(error))
                await asyncio.sleep(_AGAIN)
            else:
                return


_pipeline: Pipeline | None = None


@DBOS.workflow(name="barque.carry_out")
async def carry_out(kind: str, subject: str) -> None:
    """Carry out one piece of work."""
    pipeline = _pipeline
    if pipeline is not None:
        await DBOS.run_step_async({"name": kind}, pipeline.carry_out, kind, subject)
