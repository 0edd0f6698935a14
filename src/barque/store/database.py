"""Connections and transactions, over SQLite or PostgreSQL."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Delete, Insert, Update, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)

from barque.store.migrations.upgrade import HERE, newest, revision, upgrade
from barque.store.unavailable import StoreUnavailable, told_apart

_WRITES = {"barque_write": True}


class Database:
    """The store. `changes` counts the committed writes of each table, for caches to look at.

    `exclusive` says that this process alone writes (SQLite, which is in `file`): only then is a
    cache sound. A lock of SQLite, and a connection to PostgreSQL, is waited for `timeout` seconds.
    """

    def __init__(self, url: str, *, timeout: float = 30, migrations: Path = HERE) -> None:
        self._migrations = migrations
        self._url = url
        self.exclusive = make_url(url).get_backend_name() == "sqlite"
        self.file = Path(make_url(url).database or "") if self.exclusive else None
        self.changes: Counter[str] = Counter()
        self._timeout = timeout
        self._engine = _connectable(url, timeout)
        self._sessions = async_sessionmaker(self._engine, expire_on_commit=False)
        self._writing = asyncio.Lock()
        self._refused = False
        event.listen(self._engine.sync_engine, "after_execute", _note)

    async def migrate(self) -> None:
        """Bring the tables to what this version works with: all of it or nothing.

        Raises `StoreUnavailable`, and `Unmigratable` for a database that a newer version used.
        """
        if await self.revision() == newest(self._migrations):
            return
        # SQLite makes a table anew to alter it, and would delete what refers to the old one.
        engine = _connectable(self._url, self._timeout, references=False)
        try:
            async with _opened(async_sessionmaker(engine), _WRITES) as session:
                connection = await session.connection()
                await connection.run_sync(upgrade, self._migrations)
                await session.commit()
        finally:
            await engine.dispose()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """Open a session that only reads. Raises `StoreUnavailable`."""
        async with _opened(self._sessions, {}) as session:
            yield session

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """Open a transaction: committed at the end, rolled back on any exception.

        On SQLite the writers of this process take turns, so that none is told that the database
        is locked. Raises `StoreUnavailable`.
        """
        try:
            touched: set[str] = set()
            noting = {**_WRITES, "barque_touched": touched}
            async with self._turn(), _opened(self._sessions, noting) as session:
                yield session
                try:
                    await session.commit()
                finally:
                    # Counted any earlier, what was there before would be remembered as the new.
                    self.changes.update(touched)
        except StoreUnavailable:
            self._refused = True
            raise
        self._refused = False

    async def revision(self) -> str | None:
        """Return which migration the tables are at, or None where there are none.

        Raises `StoreUnavailable`.
        """
        async with self.read() as session:
            connection = await session.connection()
            return await connection.run_sync(revision)

    async def ping(self) -> None:
        """Return if the database answers, and takes writes again if it refused the last one.

        Raises `StoreUnavailable`, soon: this is for those who watch.
        """
        async with self.read() as session:
            await session.execute(text("SELECT version_num FROM alembic_version"))
        if self._refused:
            await self._try_to_write()
            self._refused = False

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()

    async def _try_to_write(self) -> None:
        another = Database(self._url, timeout=1)
        try:
            async with another.write() as session:
                await session.execute(text("UPDATE alembic_version SET version_num = version_num"))
        finally:
            await another.close()

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        if not self.exclusive:
            yield
            return
        try:
            async with asyncio.timeout(self._timeout):
                await self._writing.acquire()
        except TimeoutError:
            raise StoreUnavailable("those who write to it wait too long for each other") from None
        try:
            yield
        finally:
            self._writing.release()


def _note(connection: Any, statement: Any, *_: Any) -> None:
    """Note which table a statement writes to, for whoever wants to know."""
    touched = connection.get_execution_options().get("barque_touched")
    if touched is not None and isinstance(statement, Insert | Update | Delete):
        table: Any = statement.table
        touched.add(table.name)


@asynccontextmanager
async def _opened(
    sessions: async_sessionmaker[AsyncSession], options: dict[str, Any]
) -> AsyncIterator[AsyncSession]:
    with told_apart():
        async with sessions() as session:
            await _connect(session, options)
            yield session


async def _connect(session: AsyncSession, options: dict[str, Any]) -> None:
    try:
        await session.connection(execution_options=options)
    except DBAPIError:
        raise
    except PoolTimeout as error:
        raise StoreUnavailable("too many wait for a connection to it") from error
    except Exception as error:
        # A driver has many ways of failing to connect, but none is the asker's fault.
        raise StoreUnavailable(str(error) or type(error).__name__) from error


def _connectable(url: str, timeout: float, *, references: bool = True) -> AsyncEngine:
    connecting = {"connect_args": {"timeout": timeout}, "pool_timeout": timeout}
    if make_url(url).get_backend_name() != "sqlite":
        return create_async_engine(
            url, pool_size=10, max_overflow=10, pool_pre_ping=True, **connecting
        )
    engine = create_async_engine(url, pool_size=8, **connecting)

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
