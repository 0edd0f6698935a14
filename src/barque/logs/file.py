"""The SQLite file of all streams: what is said to it in one thread, by one connection."""

import re
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from barque.logs.lines import Entry, Line, Wanted, stamp, storable
from barque.logs.position import Position

# Seconds to wait for another process that writes to the file.
_BUSY = 0.5
_SCHEMA = """
DROP TABLE IF EXISTS entries;
DROP TABLE IF EXISTS cursors;
CREATE TABLE IF NOT EXISTS streams (key INTEGER PRIMARY KEY, name TEXT UNIQUE, newest INTEGER);
CREATE TABLE IF NOT EXISTS shares (
    stream INTEGER, process TEXT, lines INTEGER, bytes INTEGER, gone INTEGER,
    PRIMARY KEY (stream, process)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS lines (
    stream INTEGER, id INTEGER, process TEXT, instance INTEGER, at TEXT, text TEXT,
    PRIMARY KEY (stream, id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS lines_of_process ON lines (stream, process, id);
CREATE TABLE IF NOT EXISTS positions (
    name TEXT PRIMARY KEY, stream INTEGER, newest TEXT, count INTEGER, oldest TEXT
) WITHOUT ROWID;
"""


class Bounds(NamedTuple):
    """What each process of a stream may keep: so many lines, so many bytes of text."""

    lines: int
    bytes: int


class Page(NamedTuple):
    """Some lines of a stream, in order; all up to the id `upto` were looked at.

    `full` tells that there may be more after that, `gone` is the id of the newest line of the
    wanted processes that is no longer kept.
    """

    lines: list[Line]
    upto: int = 0
    full: bool = False
    gone: int = 0


class LogFile:
    """Streams of lines, each process of a stream bounded by itself. Raises `sqlite3.Error`."""

    def __init__(self, path: Path, bounds: Bounds) -> None:
        self._bounds = bounds
        self._database = sqlite3.connect(path, timeout=_BUSY, isolation_level=None)
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "journal_size_limit=16777216"):
            self._database.execute(f"PRAGMA {pragma}")
        self._database.create_function("fold", 1, str.casefold, deterministic=True)
        self._database.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the connection."""
        self._database.close()

    def extend(
        self,
        said: Mapping[str, Sequence[Entry]],
        reader: str = "",
        position: Position | None = None,
    ) -> None:
        """Store lines of some streams, and with them how far their reader has read."""
        with self._transaction("IMMEDIATE"):
            for stream, entries in said.items():
                key, newest = self._stream(stream) or self._made(stream)
                self._insert(key, newest, entries)
                if position is not None:
                    self._advance(reader, key, position)

    def position(self, reader: str) -> Position:
        """Return how far a reader has read."""
        found = self._one("SELECT newest, count, oldest FROM positions WHERE name=?", reader)
        return Position(*found) if found else Position()

    def page(self, stream: str, wanted: Wanted, after: int, count: int) -> Page:
        """Return the first `count` wanted lines after an id."""
        with self._transaction("DEFERRED"):
            key, newest = self._stream(stream) or (0, 0)
            lines = self._select(key, wanted, "ASC", after, count)
            full = len(lines) == count > 0
            return Page(lines, lines[-1].id if full else newest, full, self._gone(key, wanted))

    def tail(self, stream: str, wanted: Wanted, count: int) -> Page:
        """Return the last `count` wanted lines."""
        with self._transaction("DEFERRED"):
            key, newest = self._stream(stream) or (0, 0)
            lines = self._select(key, wanted, "DESC", 0, count)
            return Page(lines[::-1], newest, False, self._gone(key, wanted))

    def streams(self, prefix: str) -> list[str]:
        """List the streams whose names begin so."""
        asked = "SELECT name FROM streams WHERE substr(name, 1, ?)=?"
        return [name for (name,) in self._database.execute(asked, (len(prefix), prefix))]

    def forget(self, stream: str) -> None:
        """Remove a stream, and how far its readers had read."""
        with self._transaction("IMMEDIATE"):
            if found := self._stream(stream):
                for table in ("lines", "shares", "positions"):
                    self._database.execute(f"DELETE FROM {table} WHERE stream=?", found[:1])  # noqa: S608 - one of these three
                self._database.execute("DELETE FROM streams WHERE key=?", found[:1])

    def forget_reader(self, reader: str) -> None:
        """Remove how far a reader had read."""
        self._database.execute("DELETE FROM positions WHERE name=?", (reader,))

    @contextmanager
    def _transaction(self, kind: str) -> Iterator[None]:
        self._database.execute(f"BEGIN {kind}")
        # Committed at its end, rolled back on an exception.
        with self._database:
            yield

    def _one(self, asked: str, *values: object) -> Any:
        return self._database.execute(asked, values).fetchone()

    def _stream(self, name: str) -> tuple[int, int] | None:
        found: tuple[int, int] | None = self._one(
            "SELECT key, newest FROM streams WHERE name=?", name
        )
        return found

    def _made(self, name: str) -> tuple[int, int]:
        made = self._database.execute("INSERT INTO streams (name, newest) VALUES (?, 0)", (name,))
        return int(made.lastrowid or 0), 0

    def _insert(self, key: int, newest: int, entries: Sequence[Entry]) -> None:
        rows, lines, sizes = [], Counter[str](), Counter[str]()
        for id_, (at, said, process, instance) in enumerate(entries, newest + 1):
            text, size = storable(said)
            rows.append((key, id_, process, instance, at, text))
            lines[process] += 1
            sizes[process] += size
        self._database.executemany("INSERT INTO lines VALUES (?,?,?,?,?,?)", rows)
        update = "UPDATE streams SET newest=? WHERE key=?"
        self._database.execute(update, (newest + len(rows), key))
        for process in lines:
            self._bound(key, process, lines[process], sizes[process])

    def _bound(self, key: int, process: str, lines: int, size: int) -> None:
        """Count what was added to a process's share, and let its oldest lines go."""
        found = self._one(
            "SELECT lines, bytes, gone FROM shares WHERE stream=? AND process=?", key, process
        )
        before, bytes_before, gone = found or (0, 0, 0)
        lines, size = lines + before, size + bytes_before
        mine = (key, process)
        oldest = self._database.execute(
            "SELECT id, length(CAST(text AS BLOB)) FROM lines WHERE stream=? AND process=?"
            " ORDER BY id",
            mine,
        )
        # What is over is as much as was just added: as dear as the adding, whatever is kept.
        while lines > self._bounds.lines or (size > self._bounds.bytes and lines > 1):
            gone, weight = oldest.fetchone()
            lines, size = lines - 1, size - weight
        oldest.close()
        self._database.execute(
            "DELETE FROM lines WHERE stream=? AND process=? AND id<=?", (*mine, gone)
        )
        share = (*mine, lines, size, gone)
        self._database.execute("INSERT OR REPLACE INTO shares VALUES (?,?,?,?,?)", share)

    def _advance(self, reader: str, key: int, position: Position) -> None:
        # A container that was made again under its name is read further on than its predecessor,
        # whose last lines may have had to wait.
        self._database.execute(
            "INSERT INTO positions VALUES (?,?,?,?,?) ON CONFLICT (name) DO UPDATE SET"
            " newest=excluded.newest, count=excluded.count, oldest=excluded.oldest"
            " WHERE excluded.newest >= newest",
            (reader, key, position.newest, position.count, position.oldest),
        )

    def _gone(self, key: int, wanted: Wanted) -> int:
        asked = "SELECT max(gone) FROM shares WHERE stream=? AND process=coalesce(?, process)"
        return int(self._one(asked, key, wanted.process)[0] or 0)

    def _select(self, key: int, wanted: Wanted, order: str, after: int, count: int) -> list[Line]:
        conditions: list[tuple[str, object]] = [("stream=?", key), ("id>?", after)]
        if wanted.process is not None:
            conditions.append(("process=?", wanted.process))
        if wanted.since is not None:
            conditions.append(("at>=?", stamp(wanted.since)))
        if wanted.until is not None:
            conditions.append(("at<?", stamp(wanted.until)))
        if wanted.search is not None:
            conditions.append(_holds(wanted.search))
        asked = (
            "SELECT id, at, process, instance, text FROM lines WHERE "  # noqa: S608 - our words
            + " AND ".join(condition for condition, _ in conditions)
            + f" ORDER BY id {order} LIMIT ?"
        )
        values = [value for _, value in conditions]
        return [Line(*row) for row in self._database.execute(asked, (*values, count))]


def _holds(search: str) -> tuple[str, str]:
    """Return the condition that a line holds a text, and the value for it."""
    plain, _ = storable(search)
    if plain.isascii():
        escaped = re.sub(r"([\\%_])", r"\\\1", plain)
        return "text LIKE ? ESCAPE '\\'", f"%{escaped}%"
    # SQLite itself knows the cases of ASCII letters only.
    return "instr(fold(text), ?) > 0", plain.casefold()
