"""Lines, stored as they come: in a file of their own, so that they never wait for the store."""

import asyncio
import threading
import time
from collections import defaultdict
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import structlog

from barque.logs.file import Bounds, LogFile, Page
from barque.logs.following import Follower, end
from barque.logs.lines import ALL, Entry, Line, Wanted
from barque.logs.position import Position
from barque.logs.thread import LogsUnavailable, LogThread
from barque.store.reading import to_the_end
from barque.store.tables import now

T = TypeVar("T")

_HEARTBEAT = 15.0
_AGAIN = 1.0
# What the platform itself says waits in memory while the file cannot be written: so many lines.
_WAITING = 10_000
_SILENCE = 60.0
_PAGE = 1000

log = structlog.get_logger()


class LogStore:
    """Streams of lines, each process of a stream within the same bounds.

    It is written in one thread and read in another, so that the platform waits for neither, and a
    long search holds nobody up but other readers. A file that fails is reported from time to time.
    """

    def __init__(self, path: Path, bounds: Bounds) -> None:
        opening = threading.Lock()

        def connect() -> LogFile:
            # One after the other: the first makes the file.
            with opening:
                return LogFile(path, bounds)

        self._writer, self._reader = LogThread(connect), LogThread(connect)
        self._said: list[tuple[str, Entry]] = []
        self._storing: asyncio.Task[None] | None = None
        self._news: dict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self._warned = -_SILENCE

    def append(self, stream: str, text: str) -> None:
        """Store one line of this moment, soon, or as soon as that can be done again.

        It never fails, and is found by all who read after it.
        """
        if len(self._said) < _WAITING:
            self._said.append((stream, Entry(now().isoformat(), text)))
        self._store_soon()

    async def extend(
        self, stream: str, entries: Sequence[Entry], reader: str, position: Position
    ) -> None:
        """Store lines, and with them how far their reader has read. Raises `LogsUnavailable`."""
        with self._watched():
            await self._writer.run(lambda file: file.extend({stream: entries}, reader, position))
        self.wake(stream)

    async def position(self, reader: str) -> Position:
        """Return how far a reader has read. Raises `LogsUnavailable`."""
        return await self._read(lambda file: file.position(reader))

    async def tail(self, stream: str, wanted: Wanted, count: int) -> Page:
        """Return the last `count` wanted lines. Raises `LogsUnavailable`."""
        return await self._read(lambda file: file.tail(stream, wanted, count))

    async def text(self, stream: str) -> tuple[str, bool]:
        """Return a stream as text, and whether its first lines are gone.

        Raises `LogsUnavailable`.
        """
        page = await self._read(lambda file: file.page(stream, ALL, 0, -1))
        return "".join(f"{line.text}\n" for line in page.lines), page.gone > 0

    async def streams(self, prefix: str) -> list[str]:
        """List the streams whose names begin so. Raises `LogsUnavailable`."""
        return await self._read(lambda file: file.streams(prefix))

    async def forget(self, stream: str) -> None:
        """Remove a stream, and how far its readers had read, if the file can be written."""
        with suppress(LogsUnavailable), self._watched():
            await self._writer.run(lambda file: file.forget(stream))
        self.wake(stream)

    async def forget_reader(self, reader: str) -> None:
        """Remove how far a reader had read, if the file can be written."""
        with suppress(LogsUnavailable), self._watched():
            await self._writer.run(lambda file: file.forget_reader(reader))

    def wake(self, stream: str) -> None:
        """Have whoever follows the stream look again."""
        self._news.pop(stream, asyncio.Event()).set()

    async def follow(
        self,
        stream: str,
        after: int,
        ended: Callable[[], Awaitable[str | None]],
        *,
        wanted: Wanted = ALL,
        show: Callable[[Line], Any] = lambda line: {"text": line.text},
        fresh: bool = False,
    ) -> AsyncGenerator[bytes, None]:
        """Send lines as server-sent events until `ended` gives the last status.

        Each event's id resumes after it, without gap or repeat; a `fresh` follower is told first
        where it begins. Lines that are gone before they could be sent are told of.
        """
        follower = Follower(after, wanted, show)
        if fresh:
            yield follower.place()
        while True:
            news = self._news[stream]
            # In this order, since the last line is said before the end is.
            status = follower.status() or await to_the_end(ended)
            try:
                page = await self._read(follower.ask(stream, _PAGE))
            except LogsUnavailable:
                await asyncio.sleep(_AGAIN)
                continue
            if events := follower.take(page):
                yield events
            if page.full:
                continue
            if status is not None:
                yield end(status)
                return
            try:
                async with asyncio.timeout(follower.patience(_HEARTBEAT)):
                    await news.wait()
            except TimeoutError:
                yield follower.place()

    async def aclose(self) -> None:
        """Store what was said, and close the file."""
        await self._settle()
        await self._writer.aclose()
        await self._reader.aclose()

    async def _read(self, work: Callable[[LogFile], T]) -> T:
        await self._settle()
        with self._watched():
            return await self._reader.run(work)

    def _store_soon(self) -> None:
        if self._storing is None or self._storing.done():
            self._storing = asyncio.create_task(self._store_said())

    async def _settle(self) -> None:
        """Return when what was said so far is stored, or could not be."""
        if self._storing is not None:
            await asyncio.wait([self._storing])

    async def _store_said(self) -> None:
        while self._said:
            said, self._said = self._said, []
            streams: dict[str, list[Entry]] = defaultdict(list)
            for stream, entry in said:
                streams[stream].append(entry)
            try:
                with self._watched():
                    await self._writer.run(lambda file, new=streams: file.extend(new))  # type: ignore[misc]
            except LogsUnavailable:
                self._said[:0] = said
                asyncio.get_running_loop().call_later(_AGAIN, self._store_soon)
                return
            for stream in streams:
                self.wake(stream)

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """Report what fails, but not each time."""
        try:
            yield
        except LogsUnavailable as error:
            if time.monotonic() - self._warned >= _SILENCE:
                self._warned = time.monotonic()
                log.warning("logs have to wait", reason=str(error), waiting=len(self._said))
            raise
