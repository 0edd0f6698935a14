"""What keeps the database from answering, told apart from what was asked of it wrongly."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError

_SQLITE = {
    sqlite3.SQLITE_BUSY: "another program holds it: end that program",
    sqlite3.SQLITE_LOCKED: "another program holds it: end that program",
    sqlite3.SQLITE_FULL: "its disk is full: make room there",
    sqlite3.SQLITE_IOERR: "its disk fails: look at the machine's own log",
    sqlite3.SQLITE_READONLY: "it may not be written to: look at the rights of the data folder",
    sqlite3.SQLITE_CANTOPEN: "its file cannot be opened: look at the data folder",
    sqlite3.SQLITE_CORRUPT: "its file is damaged: put a backup in its place",
    sqlite3.SQLITE_NOTADB: "its file is damaged: put a backup in its place",
    sqlite3.SQLITE_NOMEM: "there is no memory left",
}
# Connections, a read-only stand-in, conflicts of transactions, resources, locks, an operator's
# command, the system.
_POSTGRESQL = ("08", "25006", "40", "53", "55", "57", "58")


class StoreUnavailable(Exception):
    """The database does not answer, or takes no writes, just now; the message says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the database cannot be used now: {reason}")


@contextmanager
def told_apart() -> Iterator[None]:
    """Raise `StoreUnavailable` for every error of the database that is not the asker's."""
    try:
        yield
    except DBAPIError as error:
        if (reason := _reason(error)) is None:
            raise
        raise StoreUnavailable(reason) from error


def _reason(error: DBAPIError) -> str | None:
    """Say why the database does not answer, or return None for what it did answer."""
    cause = error.orig
    code = getattr(cause, "sqlite_errorcode", None)
    if code is not None:
        # The lower byte is the kind, the upper ones are details.
        return _SQLITE.get(code & 0xFF)
    state = str(getattr(cause, "sqlstate", None) or "")
    if error.connection_invalidated:
        return str(cause)
    return str(cause) if state.startswith(_POSTGRESQL) else None
