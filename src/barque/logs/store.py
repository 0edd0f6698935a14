"""Lines, stored as they come: a file of their own, so that they never wait for the store."""

import asyncio
import sqlite3
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec

from barque.store.tables import now

LINES_KEPT = 20_000
_HEARTBEAT = 15.0


class Line(msgspec.Struct, frozen=True):
    """One line: `id` grows within its stream, `at` is RFC 3339, `source` who wrote it."""

    id: int
    text: str
    at: str
    source: str


class LogStore:
    """Streams of lines, each bounded to its last `LINES_KEPT`."""

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path, isolation_level=None)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=NORMAL")
        self._database.execute(
            "CREATE TABLE IF NOT EXISTS entries (stream TEXT, id INTEGER, at TEXT, source TEXT,"
            " text TEXT, PRIMARY KEY (stream, id)) WITHOUT ROWID"
        )
        self._database.execute(
            "CREATE TABLE IF NOT EXISTS cursors (name TEXT PRIMARY KEY, at TEXT) WITHOUT ROWID"
        )
        self._news: dict[str, asyncio.Event] = defaultdict(asyncio.Event)

    def append(self, stream: str, text: str) -> None:
        """Store one line of this moment."""
        self.extend(stream, [(now().isoformat(), "", text)])

    def extend(
        self, stream: str, lines: Iterable[tuple[str, str, str]], cursor: tuple[str, str] = ("", "")
    ) -> None:
        """Store lines, each as its moment, source and text, and with them how far one has read."""
        run = self._database.execute
        run("BEGIN IMMEDIATE")
        try:
            found = run("SELECT coalesce(max(id), 0) FROM entries WHERE stream=?", (stream,))
            last = int(found.fetchone()[0])
            for at, source, text in lines:
                last += 1
                run("INSERT INTO entries VALUES (?,?,?,?,?)", (stream, last, at, source, text))
            run("DELETE FROM entries WHERE stream=? AND id<=?", (stream, last - LINES_KEPT))
            if cursor[0]:
                run("INSERT OR REPLACE INTO cursors VALUES (?,?)", cursor)
            run("COMMIT")
        except BaseException:
            run("ROLLBACK")
            raise
        self.wake(stream)

    def cursor(self, name: str) -> str:
        """Return how far the reader `name` has read, or ""."""
        found = self._database.execute("SELECT at FROM cursors WHERE name=?", (name,)).fetchone()
        return str(found[0]) if found else ""

    def forget(self, *, streams: Iterable[str] = (), cursors: Iterable[str] = ()) -> None:
        """Remove whole streams, and readers that are no more."""
        self._database.executemany("DELETE FROM entries WHERE stream=?", [(s,) for s in streams])
        self._database.executemany("DELETE FROM cursors WHERE name=?", [(c,) for c in cursors])

    def wake(self, stream: str) -> None:
        """Have whoever follows the stream look again."""
        self._news.pop(stream, asyncio.Event()).set()

    def read(
        self, stream: str, after: int = 0, *, source: str = "", since: str = "", tail: int = -1
    ) -> list[Line]:
        """Return the lines after an id, of sources that begin so, since a moment, the last few."""
        found = self._database.execute(
            "SELECT id, text, at, source FROM entries WHERE stream=? AND id>? AND at>=?"
            " AND substr(source, 1, ?)=? ORDER BY id DESC LIMIT ?",
            (stream, after, since, len(source), source, tail),
        )
        return [Line(*row) for row in found][::-1]

    def text(self, stream: str) -> str:
        """Return a whole stream as text."""
        return "".join(f"{line.text}\n" for line in self.read(stream))

    def newest(self, stream: str) -> int:
        """Return the id of the last line, or 0."""
        found = self._database.execute("SELECT max(id) FROM entries WHERE stream=?", (stream,))
        return int(found.fetchone()[0] or 0)

    def truncated(self, stream: str) -> bool:
        """Tell whether the stream's first lines are gone."""
        first = self._database.execute("SELECT min(id) FROM entries WHERE stream=?", (stream,))
        return (first.fetchone()[0] or 1) > 1

    async def follow(
        self,
        stream: str,
        after: int,
        ended: Callable[[], Awaitable[str | None]],
        *,
        source: str = "",
        show: Callable[[Line], Any] = lambda line: {"text": line.text},
    ) -> AsyncIterator[bytes]:
        """Send lines as server-sent events until `ended` gives the last status.

        Each event's id resumes after it, without gap or repeat.
        """
        while True:
            news = self._news[stream]
            # In this order, since the last line is stored before the end is.
            status = await ended()
            for line in self.read(stream, after, source=source):
                after = line.id
                yield b"id: %d\ndata: %s\n\n" % (line.id, msgspec.json.encode(show(line)))
            if status is not None:
                yield b"event: end\ndata: %s\n\n" % msgspec.json.encode({"status": status})
                return
            try:
                async with asyncio.timeout(_HEARTBEAT):
                    await news.wait()
            except TimeoutError:
                yield b": still here\n\n"
