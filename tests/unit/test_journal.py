"""Who follows a deployment's log is told of its end as soon as that is committed."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from barque.deployments.journal import Journal, stream_of
from barque.deployments.models import Deployment
from barque.logs.file import Bounds
from barque.logs.store import LogStore
from tests.unit.test_pruning import History, Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with asyncio.Runner() as runner:
        made = Store(tmp_path / "barque.db", runner)
        yield made
        runner.run(made.database.close())


def test_the_end_is_heard_of_when_it_is_committed(store: Store, tmp_path: Path) -> None:
    store.run(store.write(History(1, [0], [(0, "draining")])))
    events = store.run(follow_to_the_end(store, tmp_path / "logs.db"))
    # No sign of life between them, which comes only after a long wait for something new.
    assert [event.partition(b"\n")[0] for event in events] == [b"id: 1", b"event: end"]


async def follow_to_the_end(store: Store, path: Path) -> list[bytes]:
    database, logs = store.database, LogStore(path, Bounds(100, 1_000_000))

    @asynccontextmanager
    async def write_slowly() -> AsyncIterator[AsyncSession]:
        async with database.write() as session:
            yield session
            # Long enough for the line to be stored and read before the end is committed.
            await asyncio.sleep(0.3)

    async def ended() -> str | None:
        async with database.read() as session:
            status = await session.scalar(select(Deployment.status))
        return status if status != "draining" else None

    async with database.read() as session:
        deployment = await session.scalar(select(Deployment.id))
    assert deployment is not None
    slow = SimpleNamespace(write=write_slowly)
    journal = Journal(SimpleNamespace(database=slow, logs=logs))  # type: ignore[arg-type]
    entering = asyncio.ensure_future(journal.enter(deployment, "live", "the new release serves"))
    found = [event async for event in logs.follow(stream_of(deployment), 0, ended)]
    assert await entering
    await logs.aclose()
    return found
