"""Copying the tables of a PostgreSQL database out, and into an empty one."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import Connection, Engine, MetaData, create_engine, inspect, text
from sqlalchemy.exc import DBAPIError

import barque.app  # noqa: F401 - it imports every table
from barque.backup.manifest import BackupError, Manifest
from barque.store.migrations.upgrade import revision, upgrade
from barque.store.tables import Base

# What durable work is noted in: rows that have not ended are begun again without it.
_NOTED = "dbos"
_VERSIONS = "alembic_version"
_WAIT = "30s"
_PART = 1024 * 1024


def dump(url: str, folder: Path, meanwhile: Callable[[Connection], None]) -> dict[str, list[str]]:
    """Copy each table to a file, all as they are at one moment; return their columns.

    `meanwhile` is called at that moment, when no build begins or ends, with what reads the database
    as it is then. Raises `BackupError`.
    """
    with _connectable(url, "copied", isolation_level="REPEATABLE READ") as engine:
        tables = _tables(engine)
        with engine.connect() as reader:
            with engine.connect() as holder:
                holder.execute(text(f"SET lock_timeout = '{_WAIT}'"))
                holder.execute(text("LOCK TABLE images IN SHARE MODE"))
                # It is the first reading that chooses the moment.
                revision(reader)
                meanwhile(reader)
            driver: Any = reader.connection.driver_connection
            for table, columns in tables.items():
                _copy_out(driver, table, columns, folder / f"{table}.copy")
        return tables


def load(url: str, folder: Path, manifest: Manifest, *, force: bool) -> None:
    """Make the tables as they were and fill them, all or nothing. Raises `BackupError`.

    A database that has tables is only overwritten with `force`.
    """
    with _connectable(url, "filled") as engine, engine.begin() as connection:
        if inspect(connection).has_table(_VERSIONS):
            if not force:
                raise BackupError(
                    "the database is not empty: give BARQUE_DATABASE_URL an empty one, or "
                    "--force, which deletes what is in this one"
                )
            _clear(connection, manifest.tables)
        upgrade(connection, to=manifest.revision)
        driver: Any = connection.connection.driver_connection
        for table, columns in manifest.tables.items():
            _copy_in(driver, table, columns, folder / f"{table}.copy")


@contextmanager
def _connectable(url: str, done: str, **options: Any) -> Iterator[Engine]:
    engine = create_engine(url, **options)
    try:
        yield engine
    except (psycopg.Error, DBAPIError) as error:
        said = error.orig if isinstance(error, DBAPIError) else error
        raise BackupError(
            f"the database cannot be {done}: {str(said).strip()}: see 'barque doctor'"
        ) from error
    finally:
        engine.dispose()


def _tables(engine: Engine) -> dict[str, list[str]]:
    """Return Barque's tables, with the columns of each; a database may have others' beside them."""
    with engine.connect() as connection:
        found = inspect(connection)
        ordered = [name for name, _ in found.get_sorted_table_and_fkc_names() if name]
        return {
            name: [column["name"] for column in found.get_columns(name)]
            for name in ordered
            if name in Base.metadata.tables
        }


def _clear(connection: Connection, tables: Iterable[str]) -> None:
    """Drop what is Barque's, of this version and of the backup's, and no table of others."""
    ours = {*tables, *Base.metadata.tables, _VERSIONS}
    present = MetaData()
    present.reflect(connection, only=lambda name, _: name in ours)
    present.drop_all(connection)
    connection.execute(text(f"DROP SCHEMA IF EXISTS {_NOTED} CASCADE"))


def _copy_out(
    connection: psycopg.Connection[Any], table: str, columns: Sequence[str], path: Path
) -> None:
    statement = _statement("COPY {} ({}) TO STDOUT", table, columns)
    with (
        path.open("wb") as file,
        connection.cursor() as cursor,
        cursor.copy(statement) as copy,
    ):
        for part in copy:
            file.write(part)


def _copy_in(
    connection: psycopg.Connection[Any], table: str, columns: Sequence[str], path: Path
) -> None:
    statement = _statement("COPY {} ({}) FROM STDIN", table, columns)
    with (
        path.open("rb") as file,
        connection.cursor() as cursor,
        cursor.copy(statement) as copy,
    ):
        while part := file.read(_PART):
            copy.write(part)


def _statement(template: str, table: str, columns: Sequence[str]) -> sql.Composed:
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    return sql.SQL(template).format(sql.Identifier(table), names)
