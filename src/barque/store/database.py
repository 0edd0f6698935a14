"""Connections and transactions, over SQLite or PostgreSQL."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path
from typing import Any

from sqlalchemy import Delete, Insert, Update, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)

from barque.store.migrations.upgrade import HERE, newest, revision, upgrade


class Database:
    """The store. `changes` counts the committed writes of each table, for caches to look at.

    `exclusive` says that this process alone writes (SQLite): only then is a cache sound.
    """

    def __init__(self, url: str, migrations: Path = HERE) -> None:
        self._migrations = migrations
        self._url = url
        self.exclusive = make_url(url).get_backend_name() == "sqlite"
        self.changes: Counter[str] = Counter()
        self._engine = _connectable(url, self.exclusive)
        self._sessions = async_sessionmaker(self._engine, expire_on_commit=False)
        self._writing = asyncio.Lock() if self.exclusive else None
        self._count_changes()

    async def migrate(self) -> None:
        """Bring the tables to what this version works with: all of it or nothing.

        Raises `Unmigratable` for a database that a newer version has been at.
        """
        async with self._engine.connect() as connection:
            if await connection.run_sync(revision) == newest(self._migrations):
                return
        # SQLite makes a table anew to alter it, and would delete what refers to the old one.
        engine = _connectable(self._url, self.exclusive, references=False)
        try:
            async with engine.connect() as connection:
                await connection.execution_options(barque_write=True)
                async with connection.begin():
                    await connection.run_sync(upgrade, self._migrations)
        finally:
            await engine.dispose()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """Open a session that only reads."""
        async with self._sessions() as session:
            yield session

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """Open a transaction: committed at the end, rolled back on any exception.

        On SQLite the writers of this process take turns, so that none is told that the database
        is locked.
        """
        async with self._writing or nullcontext(), self._sessions() as session:
            if self.exclusive:
                await session.connection(execution_options={"barque_write": True})
            yield session
            await session.commit()

    async def ping(self) -> None:
        """Return if the database answers."""
        async with self.read() as session:
            await session.execute(text("SELECT 1"))

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()

    def _count_changes(self) -> None:
        engine = self._engine.sync_engine

        @event.listens_for(engine, "after_execute")
        def touch(connection: Any, statement: Any, *_: Any) -> None:
            if isinstance(statement, Insert | Update | Delete):
                table: Any = statement.table
                connection.info.setdefault("touched", set()).add(table.name)

        @event.listens_for(engine, "commit")
        def commit(connection: Any) -> None:
            self.changes.update(connection.info.pop("touched", ()))

        @event.listens_for(engine, "rollback")
        def rollback(connection: Any) -> None:
            connection.info.pop("touched", None)


def _connectable(url: str, sqlite: bool, *, references: bool = True) -> AsyncEngine:
    if not sqlite:
        return create_async_engine(url, pool_size=10, max_overflow=10, pool_pre_ping=True)
    engine = create_async_engine(url, connect_args={"timeout": 30}, pool_size=8)

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: Any, _: Any) -> None:
        connection.isolation_level = None
        checked = "ON" if references else "OFF"
        for pragma in ("journal_mode=WAL", "synchronous=FULL", f"foreign_keys={checked}"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Any) -> None:
        writes = connection.get_execution_options().get("barque_write")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine
