"""Keeping what containers write, also after they are gone."""

import asyncio
import contextlib

from barque.config.masking import Masker
from barque.logs.store import LogStore
from barque.runtimes.port import Runtime, RuntimeRefused, RuntimeUnavailable

_LAST_LINES = 5.0


def output_of(service_id: str) -> str:
    """Return the name of the stream of what a service's containers write."""
    return f"output:{service_id}"


class Collector:
    """Follows the output of containers into the log store, each from where it left off."""

    def __init__(self, runtime: Runtime, logs: LogStore) -> None:
        self._runtime = runtime
        self._logs = logs
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def watch(self, name: str, service_id: str, source: str, masker: Masker) -> None:
        """Follow a container until it ends, unless it is followed already."""
        task = self._tasks.get(name)
        if task is None or task.done():
            work = self._collect(name, output_of(service_id), source, masker)
            self._tasks[name] = asyncio.create_task(work)

    async def finish(self, name: str) -> None:
        """Return when all that an ended container wrote is stored, and forget it."""
        task = self._tasks.pop(name, None)
        if task is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LAST_LINES):
                    await task
        self._logs.forget(cursors=[name])

    async def _collect(self, name: str, stream: str, source: str, masker: Masker) -> None:
        # A container that is gone has nothing more to say; when the engine is back from wherever
        # it was, the supervisor asks again.
        with contextlib.suppress(RuntimeRefused, RuntimeUnavailable):
            async for lines in self._runtime.follow(name, self._logs.cursor(name)):
                if lines:
                    said = [(line.at, source, masker.mask(line.text)) for line in lines]
                    self._logs.extend(stream, said, (name, lines[-1].at))
