"""What keeps the database from answering is told apart from what was asked wrongly."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.pool import Pool

from barque.accounts.models import User
from barque.github.models import Delivery
from barque.store.database import Database
from barque.store.unavailable import StoreUnavailable
from tests.conftest import free_port
from tests.postgresql import PostgreSQL


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    made = Database(f"sqlite+aiosqlite:///{tmp_path / 'barque.db'}", timeout=0.2)
    await made.migrate()
    yield made
    await made.close()


@pytest.fixture
def little_room() -> Iterator[None]:
    """SQLite may write no file of more than 400 pages, as if its disk were full then."""

    def limit(connection: Any, _: Any) -> None:
        connection.execute("PRAGMA max_page_count = 400")

    event.listen(Pool, "connect", limit)
    yield
    event.remove(Pool, "connect", limit)


async def add(database: Database, number: int) -> None:
    async with database.write() as session:
        session.add(Delivery(id=f"{number}"))


async def test_held_by_another_program(database: Database, tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "barque.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="another program") as found:
        await add(database, 1)
    assert isinstance(found.value.__cause__, DBAPIError)
    with pytest.raises(StoreUnavailable, match="another program"):
        await database.ping()
    async with database.read() as session:
        assert await session.get(Delivery, "1") is None
    other.execute("ROLLBACK")
    await database.ping()
    await add(database, 1)
    other.close()


async def test_those_who_wait_for_a_turn_are_told(database: Database) -> None:
    async with database.write():
        with pytest.raises(StoreUnavailable, match="each other"):
            await add(database, 1)
    await add(database, 1)


async def test_the_disk_is_full(little_room: None, tmp_path: Path) -> None:
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'barque.db'}")
    await database.migrate()
    fill = text(
        "INSERT INTO users (id, email, created, updated)"
        " VALUES ('big', zeroblob(:size), '2025-01-01 00:00:00', '2025-01-01 00:00:00')"
    )
    with pytest.raises(StoreUnavailable, match="make room"):
        async with database.write() as session:
            await session.execute(fill, {"size": 10_000_000})
    await database.ping()
    await add(database, 1)
    await database.close()


async def test_what_was_asked_wrongly_stays_what_it_is(database: Database) -> None:
    with pytest.raises(DBAPIError, match="no such table"):
        async with database.read() as session:
            await session.execute(text("SELECT * FROM nowhere"))
    await add(database, 1)
    with pytest.raises(IntegrityError):
        await add(database, 1)
    with pytest.raises(ZeroDivisionError):
        async with database.write():
            raise ZeroDivisionError
    await database.ping()


async def test_postgresql_ends_in_the_middle_and_comes_back() -> None:
    postgresql = PostgreSQL(free_port())
    url = postgresql.database().replace("postgresql://", "postgresql+asyncpg://")
    database = Database(url)
    await database.migrate()
    with pytest.raises(StoreUnavailable):
        async with database.write() as session:
            session.add(Delivery(id="1"))
            await session.flush()
            await asyncio.to_thread(postgresql.stop)
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            await add(database, 2)
    with pytest.raises(StoreUnavailable):
        await database.ping()
    postgresql.start()
    await database.ping()
    async with database.read() as session:
        assert await session.get(Delivery, "1") is None
    await add(database, 1)
    with pytest.raises(IntegrityError):
        await add(database, 1)
    await database.close()
    postgresql.remove()


async def test_a_deadlock_is_nobodys_fault(postgresql: PostgreSQL) -> None:
    database = Database(postgresql.database().replace("postgresql://", "postgresql+asyncpg://"))
    await database.migrate()
    async with database.write() as session:
        session.add_all([User(id="a", email="a"), User(id="b", email="b")])
    halfway = asyncio.Barrier(2)

    async def change(*ids: str) -> None:
        async with database.write() as session:
            await session.execute(update(User).where(User.id == ids[0]).values(email=ids[0] * 2))
            await halfway.wait()
            await session.execute(update(User).where(User.id == ids[1]).values(email=ids[1] * 2))

    ends = await asyncio.gather(change("a", "b"), change("b", "a"), return_exceptions=True)
    assert {type(one) for one in ends} == {StoreUnavailable, type(None)}
    await database.close()
