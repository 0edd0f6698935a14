"""Turns at building."""

import asyncio

from barque.images.queue import Waiting
from barque.images.turns import Turns


class Builds:
    """Builds that do nothing but wait for their turn, and in it for their end."""

    def __init__(self, turns: Turns) -> None:
        self.begun: list[str] = []
        self._turns = turns
        self._ends: dict[str, asyncio.Event] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def ask(self, *names: str) -> None:
        """Ask for builds: `a1` is the organization a's, and older than its a2."""
        for name in names:
            self._ends[name] = asyncio.Event()
            self._tasks[name] = asyncio.create_task(self._run(Waiting(name, name[0])))
        await asyncio.sleep(0)

    async def end(self, name: str) -> None:
        self._ends[name].set()
        await self._tasks[name]
        await asyncio.sleep(0)

    async def cancel(self, name: str) -> None:
        self._tasks[name].cancel()
        await asyncio.wait([self._tasks[name]])
        await asyncio.sleep(0)

    async def _run(self, one: Waiting) -> None:
        async with self._turns.turn(one):
            self.begun.append(one.id)
            await self._ends[one.id].wait()


def opened(at_once: int) -> Builds:
    turns = Turns(at_once)
    turns.expect([])
    return Builds(turns)


async def test_so_many_at_once_and_each_organization_in_turn() -> None:
    builds = opened(2)
    await builds.ask("a1", "a2", "a3", "a4", "b1", "b2", "c1")
    assert builds.begun == ["a1", "a2"]
    for ended, begun in (("a1", "b1"), ("a2", "c1"), ("b1", "a3"), ("a3", "b2"), ("c1", "a4")):
        await builds.end(ended)
        assert builds.begun[-1] == begun


async def test_a_cancelled_build_gives_its_place_away() -> None:
    builds = opened(1)
    await builds.ask("a1", "a2", "a3", "a4")
    await builds.cancel("a2")
    await builds.cancel("a1")
    assert builds.begun == ["a1", "a3"]
    # In the very moment that its turn came, and before it could begin.
    builds._ends["a3"].set()
    await builds._tasks["a3"]
    await builds.cancel("a4")
    await builds.ask("a5")
    assert builds.begun[-1] == "a5"


async def test_none_goes_before_those_that_were_there_before_a_restart() -> None:
    turns = Turns(1)
    builds = Builds(turns)
    await builds.ask("a3", "a2")
    assert builds.begun == []
    turns.expect(["a1", "a2", "a3"])
    assert builds.begun == []
    await builds.ask("a1")
    assert builds.begun == ["a1"]
    await builds.end("a1")
    assert builds.begun == ["a1", "a2"]


async def test_positions_are_of_those_that_wait() -> None:
    turns = Turns(1)
    turns.expect([])
    await Builds(turns).ask("a1", "a2", "a3", "b1")
    queued = [Waiting(name, name[0]) for name in ("a2", "a3", "b1")]
    assert turns.positions(queued) == {"b1": 1, "a2": 2, "a3": 3}
