"""Lines, stored as they come: a file of their own, so that they never wait for the store."""

import asyncio
import sqlite3
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import msgspec

LINES_KEPT = 20_000
_HEARTBEAT = 15.0


class Line(msgspec.Struct, frozen=True):
    """One line: `id` grows within its stream."""

    id: int
    text: str


class LogStore:
    """Streams of lines, each bounded to its last `LINES_KEPT`."""

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path, isolation_level=None)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=NORMAL")
        self._database.execute(
            "CREATE TABLE IF NOT EXISTS lines (stream TEXT, id INTEGER, text TEXT,"
            " PRIMARY KEY (stream, id)) WITHOUT ROWID"
        )
        self._news: dict[str, asyncio.Event] = defaultdict(asyncio.Event)

    def append(self, stream: str, text: str) -> None:
        """Store one line."""
        self._database.execute(
            "INSERT INTO lines SELECT ?1, coalesce(max(id), 0) + 1, ?2 FROM lines WHERE stream=?1",
            (stream, text),
        )
        self._database.execute(
            "DELETE FROM lines WHERE stream=?1 AND id <="
            " (SELECT max(id) FROM lines WHERE stream=?1) - ?2",
            (stream, LINES_KEPT),
        )
        self.wake(stream)

    def wake(self, stream: str) -> None:
        """Have whoever follows the stream look again."""
        self._news.pop(stream, asyncio.Event()).set()

    def read(self, stream: str, after: int = 0) -> list[Line]:
        """Return the lines after an id."""
        found = self._database.execute(
            "SELECT id, text FROM lines WHERE stream=? AND id>? ORDER BY id", (stream, after)
        )
        return [Line(number, text) for number, text in found]

    def truncated(self, stream: str) -> bool:
        """Tell whether the stream's first lines are gone."""
        first = self._database.execute("SELECT min(id) FROM lines WHERE stream=?", (stream,))
        return (first.fetchone()[0] or 1) > 1

    async def follow(
        self, stream: str, after: int, ended: Callable[[], Awaitable[str | None]]
    ) -> AsyncIterator[bytes]:
        """Send lines as server-sent events until `ended` gives the last status.

        Each event's id resumes after it, without gap or repeat.
        """
        while True:
            news = self._news[stream]
            # In this order, since the last line is stored before the end is.
            status = await ended()
            for line in self.read(stream, after):
                after = line.id
                yield b"id: %d\ndata: %s\n\n" % (line.id, msgspec.json.encode({"text": line.text}))
            if status is not None:
                yield b"event: end\ndata: %s\n\n" % msgspec.json.encode({"status": status})
                return
            try:
                async with asyncio.timeout(_HEARTBEAT):
                    await news.wait()
            except TimeoutError:
                yield b": still here\n\n"
