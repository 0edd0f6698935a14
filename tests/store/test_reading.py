"""What is read for somebody who leaves amid it."""

import asyncio

import pytest

from barque.store.reading import to_the_end


async def test_it_is_read_to_the_end() -> None:
    begun, go_on, over = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def read() -> None:
        begun.set()
        await go_on.wait()
        over.set()

    waiting = asyncio.ensure_future(to_the_end(read))
    await begun.wait()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    go_on.set()
    async with asyncio.timeout(30):
        await over.wait()


async def test_whoever_stays_learns_what_went_wrong() -> None:
    async def read() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await to_the_end(read)
