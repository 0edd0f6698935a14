"""What lasts, a stream or a session: it ends when its caller may have it no more.

A key that is revoked or expires, a member who is removed: each ends what was begun before.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import TYPE_CHECKING

from barque.errors import BarqueError, TooMany
from barque.unavailable import UNAVAILABLE

if TYPE_CHECKING:
    from barque.http import Socket, Talk

# Return while the caller may go on; raise a `BarqueError` when not.
Check = Callable[[], Awaitable[None]]

# Seconds from one look to the next: it takes no more than two look-ups in memory.
_EVERY = 1.0
_END = b"event: end"


async def events_while(
    events: AsyncGenerator[bytes, None], check: Check
) -> AsyncGenerator[bytes, None]:
    """Pass events on; whoever asks again for the rest is told why there is none."""
    due = time.monotonic() + _EVERY
    async with aclosing(events):
        async for event in events:
            if time.monotonic() >= due and not event.startswith(_END):
                if await _refusal(check) is not None:
                    return
                due = time.monotonic() + _EVERY
            yield event


def talk_while(talk: "Talk", check: Check) -> "Talk":
    """Return the same talk, which raises what `check` does."""

    async def watched(socket: "Socket") -> None:
        talking = asyncio.ensure_future(talk(socket))
        watching = asyncio.ensure_future(_watch(check))
        try:
            done, _ = await asyncio.wait({talking, watching}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (talking, watching):
                task.cancel()
            await asyncio.gather(talking, watching, return_exceptions=True)
        await (talking if talking in done else watching)

    return watched


async def _watch(check: Check) -> None:
    while True:
        await asyncio.sleep(_EVERY)
        if (refusal := await _refusal(check)) is not None:
            raise refusal


async def _refusal(check: Check) -> BarqueError | None:
    try:
        await check()
    except (TooMany, *UNAVAILABLE):
        # Nobody knows just now; what was begun goes on.
        return None
    except BarqueError as error:
        return error
    return None
