"""Copying the tables of a PostgreSQL database out, and into an empty one."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import psycopg
from psycopg import IsolationLevel, sql
from sqlalchemy import Connection, MetaData, create_engine, inspect, text
from sqlalchemy.engine import make_url

import barque.app  # noqa: F401 - it imports every table
from barque.backup.manifest import BackupError, Manifest
from barque.store.migrations.upgrade import upgrade
from barque.store.tables import Base

# What durable work is noted in: rows that have not ended are begun again without it.
_NOTED = "dbos"
_VERSIONS = "alembic_version"
_WAIT = "30s"
_PART = 1024 * 1024


def dump(url: str, folder: Path, meanwhile: Callable[[], None]) -> dict[str, list[str]]:
    """Copy each table to a file, all as they are at one moment; return their columns.

    `meanwhile` is called at that moment, when no build begins or ends. Raises `BackupError`.
    """
    try:
        tables = _tables(url)
        plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(plain) as reader:
            reader.isolation_level = IsolationLevel.REPEATABLE_READ
            with psycopg.connect(plain) as holder:
                holder.execute(f"SET lock_timeout = '{_WAIT}'")
                holder.execute("LOCK TABLE images IN SHARE MODE")
                reader.execute("SELECT 1 FROM alembic_version")
                meanwhile()
            for table, columns in tables.items():
                _copy_out(reader, table, columns, folder / f"{table}.copy")
    except psycopg.Error as error:
        raise BackupError(f"the database cannot be copied: {error}".strip()) from error
    return tables


def load(url: str, folder: Path, manifest: Manifest, *, force: bool) -> None:
    """Make the tables as they were and fill them, all or nothing. Raises `BackupError`.

    A database that has tables is only overwritten with `force`.
    """
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
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
    finally:
        engine.dispose()


def _tables(url: str) -> dict[str, list[str]]:
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            found = inspect(connection)
            ordered = [name for name, _ in found.get_sorted_table_and_fkc_names() if name]
            return {
                name: [column["name"] for column in found.get_columns(name)]
                for name in ordered
                if name != _VERSIONS
            }
    finally:
        engine.dispose()


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
