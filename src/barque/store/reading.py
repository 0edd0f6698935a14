"""Reading to the end, although who waits for it may leave."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

T = TypeVar("T")

_reading: set[asyncio.Future[Any]] = set()


async def to_the_end(read: Callable[[], Awaitable[T]]) -> T:
    """Do what reads the store for somebody who may leave amid it.

    A read that is cut off takes its connection to the store along.
    """
    doing = asyncio.ensure_future(read())
    # Nobody else holds on to it, once who waits has left.
    _reading.add(doing)
    doing.add_done_callback(_over)
    return await asyncio.shield(doing)


def _over(done: asyncio.Future[Any]) -> None:
    _reading.discard(done)
    if not done.cancelled():
        # Whether it failed is nobody's question any more, where nobody waits.
        done.exception()
