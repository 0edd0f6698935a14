"""Turns at building: so many at once, in the order that `in_order` says."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from barque.images.queue import Waiting, in_order

_PATIENCE = 5.0


class Turns:
    """Gives each build its turn. The queue itself is in the store: this is who waits just now."""

    def __init__(self, at_once: int) -> None:
        self._free = at_once
        self._waiting: dict[str, tuple[Waiting, asyncio.Future[None]]] = {}
        self._having: set[str] = set()
        self._running: Counter[str] = Counter()
        self._served: dict[str, int] = {}
        self._expected: set[str] | None = None

    def expect(self, ids: Iterable[str]) -> None:
        """Give turns from now on, but none before all of these wait for theirs.

        So none overtakes another after a restart. After a few seconds the others go without those
        that do not come.
        """
        self._expected = set(ids) - self._waiting.keys()
        self._give()
        asyncio.get_running_loop().call_later(_PATIENCE, self._expect_no_more)

    @asynccontextmanager
    async def turn(self, one: Waiting) -> AsyncIterator[None]:
        """Wait for a build's turn, and have it."""
        given = asyncio.get_running_loop().create_future()
        self._waiting[one.id] = (one, given)
        if self._expected is not None:
            self._expected.discard(one.id)
        self._give()
        try:
            await given
            yield
        finally:
            self._waiting.pop(one.id, None)
            # A wait that is cancelled takes its future along, unless the turn had come already.
            if given.done() and not given.cancelled():
                self._free += 1
                self._having.discard(one.id)
                self._running[one.org_id] -= 1
            self._give()

    def positions(self, unfinished: Iterable[Waiting]) -> dict[str, int]:
        """Say of each build that has not begun which turn will be its own, counted from 1."""
        ahead = (one for one in unfinished if one.id not in self._having)
        ordered = in_order(ahead, self._running, self._served)
        queued = (one for one in ordered if not one.begun)
        return {one.id: position for position, one in enumerate(queued, 1)}

    def _expect_no_more(self) -> None:
        self._expected = set()
        self._give()

    def _give(self) -> None:
        while self._free and self._waiting and self._expected == set():
            candidates = (one for one, _ in self._waiting.values())
            first = in_order(candidates, self._running, self._served)[0]
            _, given = self._waiting.pop(first.id)
            if given.cancelled():
                continue
            self._free -= 1
            self._having.add(first.id)
            self._running[first.org_id] += 1
            self._served[first.org_id] = max(self._served.values(), default=0) + 1
            given.set_result(None)
