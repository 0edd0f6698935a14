"""Bringing a database to the tables of this version, at the start.

A migration's revision is the number of its file, so that an up-to-date database is recognized
without Alembic, whose import alone takes longer than the rest of a start's reading.
"""

import logging
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import Connection, inspect, text

if TYPE_CHECKING:
    from alembic.config import Config

HERE = Path(__file__).parent

_BASELINE = "0001"
_TABLE_OF_BASELINE = "organizations"
_LOCK = 0x626172717565  # any number, if it is the same in every process

log = structlog.get_logger()


class Unmigratable(Exception):
    """This version of Barque cannot use the database as it is."""


def newest(folder: Path = HERE) -> str:
    """Return the revision that this version of Barque works with."""
    return max(file.name[:4] for file in (folder / "versions").glob("[0-9]*.py"))


def revision(connection: Connection) -> str | None:
    """Return the revision of a database, or None where none is noted."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def upgrade(connection: Connection, folder: Path = HERE, *, to: str | None = None) -> None:
    """Take every migration that is missing, or those up to one, in the connection's transaction.

    Of two processes that start at once, the second waits for the first, and finds nothing to do.
    Raises `Unmigratable`.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    present, wanted = revision(connection), to or newest(folder)
    if present is not None and present > wanted:
        raise Unmigratable(
            f"the database is at revision {present}, and this version of Barque knows {wanted} at "
            "most: start the newer version again"
        )
    if present != wanted:
        _take(connection, folder, present, wanted)


def config(connection: Connection, folder: Path = HERE) -> "Config":
    """Return what Alembic's commands need to work on a connection."""
    from alembic.config import Config  # noqa: PLC0415 - only a migration needs it

    made = Config()
    made.set_main_option("script_location", str(folder).replace("%", "%%"))
    made.attributes["connection"] = connection
    return made


def _take(connection: Connection, folder: Path, present: str | None, wanted: str) -> None:
    # It tells about its plug-ins, too.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    from alembic import command  # noqa: PLC0415 - only a migration needs it

    setup = config(connection, folder)
    if present is None and inspect(connection).has_table(_TABLE_OF_BASELINE):
        # Made before there were migrations, when all tables were made at once.
        command.stamp(setup, _BASELINE)
    command.upgrade(setup, wanted)
    log.info("database migrated", before=present, now=revision(connection))
    if connection.dialect.name == "sqlite":
        _check_references(connection)


def _check_references(connection: Connection) -> None:
    """Raise `Unmigratable` if a row refers to one that is gone: SQLite did not look meanwhile."""
    broken = connection.execute(text("PRAGMA foreign_key_check")).all()
    if broken:
        tables = sorted({row[0] for row in broken})
        raise Unmigratable(f"rows of {', '.join(tables)} refer to rows that are not there")
