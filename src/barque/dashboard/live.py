"""Pages that update by themselves: what has changed of them, as server-sent events."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING

from barque.errors import BarqueError
from barque.unavailable import UNAVAILABLE

if TYPE_CHECKING:
    from barque.platform import Platform

_GLANCE = 0.25
# Whoever watches takes this share of the time at most, and the less the busier the platform is.
_SHARE, _LONGEST = 0.1, 5.0
_SHARED = 2.0
_HEARTBEAT = 15.0
_LINES = re.compile(r"\r\n|\r|\n")


async def changes(
    platform: "Platform", look: Callable[[], Awaitable[dict[str, str]]], every: float
) -> AsyncIterator[bytes]:
    """Send each region of a page at first, and again when it has changed.

    It is looked at when the store has changed, and each `every` seconds. The end comes when the
    caller may see the page no more.
    """
    sent: dict[str, str] = {}
    spoken = time.monotonic()
    while True:
        seen, begun = platform.database.changes.total(), time.monotonic()
        try:
            found = await _whole(look)
        except BarqueError:
            # The page itself says why, once it is loaded again.
            yield b"event: gone\ndata:\n\n"
            return
        except UNAVAILABLE:
            # What is shown stays; there will be news.
            found = {}
        news = {name: html for name, html in found.items() if sent.get(name) != html}
        if news:
            yield b"".join(_event(name, html) for name, html in news.items())
        elif time.monotonic() - spoken > _HEARTBEAT:
            yield b":\n\n"
        if news or time.monotonic() - spoken > _HEARTBEAT:
            spoken = time.monotonic()
        sent.update(news)
        rest = min((time.monotonic() - begun) / _SHARE, _LONGEST)
        await _something_new(platform, seen, rest, min(every, _HEARTBEAT))


async def _whole(look: Callable[[], Awaitable[dict[str, str]]]) -> dict[str, str]:
    """Look to the end, although who watches may leave amid it: a connection cut off is lost."""
    looking = asyncio.ensure_future(look())
    try:
        return await asyncio.shield(looking)
    except asyncio.CancelledError:
        looking.add_done_callback(lambda done: done.cancelled() or done.exception())
        raise


async def _something_new(platform: "Platform", seen: int, least: float, most: float) -> None:
    """Wait for a change of the store; where others write to it as well, for a while."""
    if not platform.database.exclusive:
        most = min(most, _SHARED)
    deadline = time.monotonic() + most
    await asyncio.sleep(least)
    while time.monotonic() < deadline:
        await asyncio.sleep(_GLANCE)
        if platform.database.changes.total() != seen:
            return


def _event(name: str, html: str) -> bytes:
    lines = "".join(f"data: {line}\n" for line in _LINES.split(html))
    return f"event: {name}\n{lines}\n".encode()
