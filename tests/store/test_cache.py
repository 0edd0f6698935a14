"""What is remembered of the database is never older than what was acknowledged."""

import asyncio
from pathlib import Path

from sqlalchemy import select

from barque.accounts.models import User
from barque.store.cache import Cache
from barque.store.database import Database


async def test_an_acknowledged_write_is_seen_at_once(tmp_path: Path) -> None:
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'barque.db'}")
    await database.migrate()
    cache, over = Cache(database), asyncio.Event()

    async def newest() -> str | None:
        async with database.read() as session:
            found = select(User.email).order_by(User.email.desc()).limit(1)
            return await session.scalar(found)

    async def look() -> None:
        while not over.is_set():
            await cache.get("newest", ("users",), newest)
            await asyncio.sleep(0)

    looking = [asyncio.create_task(look()) for _ in range(4)]
    for number in range(100):
        address = f"{number:03}@example.org"
        async with database.write() as session:
            session.add(User(email=address))
        assert await cache.get("newest", ("users",), newest) == address
    over.set()
    await asyncio.gather(*looking)
    await database.close()
