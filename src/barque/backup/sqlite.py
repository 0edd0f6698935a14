"""Copying a SQLite file that is written to meanwhile."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from barque.backup.manifest import BackupError

_WAIT = 30.0


def copy(source: Path, target: Path, meanwhile: Callable[[], None] | None = None) -> None:
    """Copy a database as it is at one moment; `meanwhile` is called at it, when nobody writes.

    Whoever writes waits for `meanwhile` alone, not for the copy. Raises `BackupError`.
    """
    try:
        with closing(_connect(source)) as reader:
            if meanwhile is None:
                _begin(reader)
            else:
                _begin_with(reader, source, meanwhile)
            with closing(sqlite3.connect(target)) as copied:
                reader.backup(copied)
                # One file, which nothing belongs to.
                copied.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.Error as error:
        raise BackupError(f"{source} cannot be copied: {error}: see 'barque doctor'") from error


def _begin_with(reader: sqlite3.Connection, source: Path, meanwhile: Callable[[], None]) -> None:
    with closing(_connect(source)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        try:
            _begin(reader)
            meanwhile()
        finally:
            holder.execute("ROLLBACK")


def _begin(reader: sqlite3.Connection) -> None:
    reader.execute("BEGIN")
    # It is the first reading that chooses the moment.
    reader.execute("SELECT count(*) FROM sqlite_schema").fetchone()


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{path.as_uri()}?mode=rw", uri=True, timeout=_WAIT, isolation_level=None
    )
