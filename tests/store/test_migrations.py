"""The migrations make what the models declare, and lose nothing of what was there before."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, MetaData, Table, create_engine, event, insert, select, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.types import Boolean, DateTime, Integer, LargeBinary, TypeEngine

import barque.app  # noqa: F401 - it imports every table
from barque.settings import Settings
from barque.store.database import Database
from barque.store.migrations.upgrade import HERE, Unmigratable, newest, upgrade
from barque.store.tables import Base
from tests.postgresql import PostgreSQL

FIRST = Path(__file__).parent / "version_0001.sql"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    over = None
    if request.param == "postgresql":
        postgresql: PostgreSQL = request.getfixturevalue("postgresql")
        over = postgresql.database()
    return Settings(data_dir=tmp_path, database_url=over).store_url


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_async_engine(url)
    yield engine
    await engine.dispose()


async def migrate(url: str) -> None:
    database = Database(url)
    await database.migrate()
    await database.close()


def differences(connection: Connection) -> list[Any]:
    context = MigrationContext.configure(connection, opts={"compare_server_default": True})
    return list(compare_metadata(context, Base.metadata))


def make_first_version(connection: Connection) -> None:
    made = FIRST.read_text()
    if connection.dialect.name == "sqlite":
        made = made.replace("BYTEA", "BLOB").replace("TIMESTAMP WITH TIME ZONE", "DATETIME")
    for statement in made.split(";\n"):
        if statement.strip():
            connection.execute(text(statement))


def some(kind: TypeEngine[Any]) -> Any:
    """A value of a column, whatever it means: every reference is to the row 'x'."""
    for known, value in (
        (Boolean, True), (Integer, 7), (LargeBinary, b"\0sealed"),
        (DateTime, datetime(2025, 1, 2, 3, 4, 5, 678901, UTC)),
    ):  # fmt: skip
        if isinstance(kind, known):
            return value
    return {"a": [1, None]} if str(kind) == "JSON" else "x"


def fill(connection: Connection) -> None:
    for table in tables(connection):
        row = {column.name: some(column.type) for column in table.columns}
        connection.execute(insert(table).values(row))


def tables(connection: Connection) -> list[Table]:
    present = MetaData()
    present.reflect(connection)
    return [table for table in present.sorted_tables if table.name != "alembic_version"]


def rows(connection: Connection) -> dict[str, dict[str, Any]]:
    return {
        table.name: dict(connection.execute(select(table)).mappings().one_or_none() or {})
        for table in tables(connection)
    }


async def test_migrations_make_what_the_models_declare(url: str) -> None:
    await migrate(url)
    async with connected(url) as engine, engine.begin() as connection:
        assert await connection.run_sync(differences) == []
        noted = await connection.scalar(text("SELECT version_num FROM alembic_version"))
        assert noted == newest()


async def test_the_first_version_is_upgraded_without_loss(url: str) -> None:
    async with connected(url) as engine:
        async with engine.begin() as connection:
            await connection.run_sync(make_first_version)
            await connection.run_sync(fill)
            before = await connection.run_sync(rows)
        await migrate(url)
        async with engine.begin() as connection:
            after = await connection.run_sync(rows)
            assert await connection.run_sync(differences) == []
    assert len(before) == 14
    for table, row in before.items():
        assert row.items() <= after[table].items()


async def test_starts_at_the_same_moment(url: str) -> None:
    await asyncio.gather(*(migrate(url) for _ in range(4)))
    async with connected(url) as engine, engine.begin() as connection:
        assert await connection.run_sync(differences) == []


async def test_a_newer_database_is_refused(url: str) -> None:
    await migrate(url)
    async with connected(url) as engine, engine.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Unmigratable, match="9999"):
        await migrate(url)


CHANGED = """
import sqlalchemy as sa
from alembic import op

revision, down_revision = "{number}", "{before}"

def upgrade():
    with op.batch_alter_table("services") as batch:
        batch.alter_column("name", type_=sa.Text)
    {then}
"""


def with_one_more(folder: Path, then: str = "pass") -> Path:
    shutil.copytree(HERE, folder)
    number = f"{int(newest()) + 1:04}"
    step = CHANGED.format(number=number, before=newest(), then=then)
    (folder / "versions" / f"{number}_more.py").write_text(step)
    return folder


async def test_a_table_made_anew_keeps_what_refers_to_it(url: str, tmp_path: Path) -> None:
    await migrate(url)
    async with connected(url) as engine, engine.begin() as connection:
        await connection.run_sync(fill)
        before = await connection.run_sync(rows)
    database = Database(url, migrations=with_one_more(tmp_path / "more"))
    await database.migrate()
    async with database.write() as session:
        # References are heeded again: what is deleted takes along what belongs to it.
        await session.execute(text("DELETE FROM images"))
        assert (await session.execute(text("SELECT id FROM releases"))).all() == []
        await session.rollback()
    await database.close()
    async with connected(url) as engine, engine.begin() as connection:
        assert await connection.run_sync(rows) == before


async def test_a_migration_that_fails_changes_nothing(url: str, tmp_path: Path) -> None:
    await migrate(url)
    folder = with_one_more(tmp_path / "more", "raise ZeroDivisionError")
    database = Database(url, migrations=folder)
    with pytest.raises(ZeroDivisionError):
        await database.migrate()
    await database.close()
    async with connected(url) as engine, engine.begin() as connection:
        assert await connection.run_sync(differences) == []
        noted = await connection.scalar(text("SELECT version_num FROM alembic_version"))
        assert noted == newest()


def test_a_row_without_its_owner_stops_a_migration_of_sqlite(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'barque.db'}")
    event.listen(engine, "connect", lambda one, _: setattr(one, "isolation_level", None))
    with engine.begin() as connection:
        make_first_version(connection)
        fill(connection)
        connection.execute(text("UPDATE projects SET org_id = 'nobody'"))
    with engine.begin() as connection, pytest.raises(Unmigratable, match="projects"):
        upgrade(connection)


async def test_the_first_administrators_key_stays_without_a_limit(url: str) -> None:
    async with connected(url) as engine, engine.begin() as connection:
        await connection.run_sync(make_first_version)
        await connection.run_sync(fill)
        await connection.execute(text("UPDATE users SET email = 'admin@localhost'"))
        await connection.execute(text("UPDATE api_keys SET id = '1'"))
        kept = "user_id, name, prefix, scope, created"
        another = f"INSERT INTO api_keys (id, digest, {kept}) SELECT '2', '2', {kept} FROM api_keys"
        await connection.execute(text(another))
    await migrate(url)
    async with connected(url) as engine, engine.begin() as connection:
        found = await connection.execute(text("SELECT id, rate_limit FROM api_keys ORDER BY id"))
        assert found.all() == [("1", 0), ("2", None)]
