"""Keeping what containers write, also after they are gone."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from barque.config.masking import Masker
from barque.logs.lines import Entry
from barque.logs.position import Position, Unread
from barque.logs.store import LogStore
from barque.logs.thread import LogsUnavailable
from barque.runtimes.port import Runtime, RuntimeRefused, RuntimeUnavailable

T = TypeVar("T")

_OUTPUT = "output:"
_LAST_LINES = 5.0
_AGAIN = 1.0
# So much text of one container waits in memory while the log store fails.
_HELD = 4 * 1024 * 1024


def output_of(service_id: str) -> str:
    """Return the name of the stream of what a service's containers write."""
    return f"{_OUTPUT}{service_id}"


@dataclass(frozen=True, slots=True)
class Writer:
    """Who writes: a container, the instance that it is, and what is secret of what it writes."""

    container: str
    service_id: str
    process: str
    index: int
    masker: Masker


class Collector:
    """Follows the output of containers into the log store, each from where it left off."""

    def __init__(self, runtime: Runtime, logs: LogStore) -> None:
        self._runtime = runtime
        self._logs = logs
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._unfinished: set[asyncio.Task[None]] = set()

    def watches(self, container: str) -> bool:
        """Tell whether a container is followed."""
        return container in self._tasks and not self._tasks[container].done()

    def watch(self, writer: Writer) -> None:
        """Follow a container until it ends, unless it is followed already."""
        if not self.watches(writer.container):
            task = asyncio.create_task(self._collect(writer))
            self._tasks[writer.container] = task
            self._unfinished.add(task)
            task.add_done_callback(self._unfinished.discard)

    async def finish(self, container: str) -> None:
        """Return when all that an ended container wrote is read.

        What the log store does not take now goes on waiting for it.
        """
        if task := self._tasks.pop(container, None):
            await asyncio.wait([task], timeout=_LAST_LINES)

    async def forget(self, container: str) -> None:
        """Forget how far a container was read that is no more."""
        await self._logs.forget_reader(container)

    async def forget_service(self, service_id: str) -> None:
        """Remove all that the containers of a service wrote."""
        await self._logs.forget(output_of(service_id))

    async def services(self) -> set[str]:
        """Return the ids of the services of which something is kept, as far as that can be read."""
        with contextlib.suppress(LogsUnavailable):
            return {name.removeprefix(_OUTPUT) for name in await self._logs.streams(_OUTPUT)}
        return set()

    async def _collect(self, writer: Writer) -> None:
        # A container that is gone has nothing more to say; when the engine is back from wherever
        # it was, the supervisor asks again. The engine may end the stream before the last lines.
        with contextlib.suppress(RuntimeRefused, RuntimeUnavailable):
            while await self._read(writer):
                pass

    async def _read(self, writer: Writer) -> bool:
        """Store what a container writes until it ends. Returns whether there was anything."""
        position = await _patiently(lambda: self._logs.position(writer.container))
        unread, held, size, found = Unread(position), list[Entry](), 0, False
        async for told in self._runtime.follow(writer.container, position.since):
            for line in unread.among(told):
                text = writer.masker.mask(line.text)
                held.append(Entry(line.at, text, writer.process, writer.index))
                size += len(text)
            if held and await self._stored(writer, held, unread.position, patiently=size > _HELD):
                held, size, found = [], 0, True
        if held:
            found = await self._stored(writer, held, unread.position, patiently=True)
        return found

    async def _stored(
        self, writer: Writer, entries: list[Entry], position: Position, *, patiently: bool
    ) -> bool:
        async def store() -> bool:
            stream = output_of(writer.service_id)
            await self._logs.extend(stream, entries, writer.container, position)
            return True

        if patiently:
            return await _patiently(store)
        try:
            return await store()
        except LogsUnavailable:
            return False


async def _patiently(work: Callable[[], Awaitable[T]]) -> T:
    """Do what needs the log store, once it answers."""
    while True:
        try:
            return await work()
        except LogsUnavailable:
            await asyncio.sleep(_AGAIN)
