import asyncio
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from barque.processes.checks import LiveChecks
from barque.routing.port import Server

NAMES = ("web-0", "web-1")


class Engine:
    """Stands where engine and router would, to hold a health check up at the wrong moment."""

    def __init__(self) -> None:
        self.answer = asyncio.Event()
        self.enabled = dict.fromkeys(NAMES, True)
        self.ill: set[str] = set()
        self.runtime = self.router = self

    async def containers(self, _: Any) -> list[str]:
        return [f"barque-d.{name}" for name in NAMES]

    async def inspect(self, name: str) -> Any:
        return SimpleNamespace(state="running", address=name, started=datetime.now(UTC))

    async def probe(self, address: str, _: Any) -> str | None:
        await self.answer.wait()
        return "answered 500" if address.rpartition(".")[2] in self.ill else None

    async def enable(self, _: str, server: str, enabled: bool) -> None:
        self.enabled[server] = enabled

    async def servers(self, _: str) -> list[Server]:
        return [Server(name, "127.0.0.1", 8000) for name in NAMES]


PLACE: Any = SimpleNamespace(svc=SimpleNamespace(deployment_timeout=60))


async def routed(checks: LiveChecks) -> dict[str, bool]:
    return {one.name: one.enabled for one in await checks.servers("d")}


async def test_a_check_on_its_way_brings_nothing_back_that_was_dismissed() -> None:
    engine: Any = Engine()
    checks = LiveChecks(engine, engine)
    checking = asyncio.create_task(checks.check("d", None, PLACE))  # type: ignore[arg-type]
    await asyncio.sleep(0)
    checks.dismiss("barque-d.web-1")
    engine.enabled["web-1"] = False
    engine.answer.set()
    assert await checking == {}
    assert engine.enabled == await routed(checks) == {"web-0": True, "web-1": False}


async def test_the_last_that_stays_serves_though_it_is_ill() -> None:
    engine: Any = Engine()
    engine.ill, checks = {"web-0"}, LiveChecks(engine, engine)
    engine.answer.set()
    await checks.check("d", None, PLACE)  # type: ignore[arg-type]
    assert engine.enabled == await routed(checks) == {"web-0": False, "web-1": True}
    checks.dismiss("barque-d.web-1")
    assert await routed(checks) == {"web-0": True, "web-1": False}


async def test_what_a_rollout_brought_up_is_ill_at_once_and_what_starts_has_its_time() -> None:
    engine: Any = Engine()
    engine.ill, checks = set(NAMES), LiveChecks(engine, engine)
    engine.answer.set()
    checks.hold_back("barque-d.web-1")
    for _ in range(2):
        assert await checks.check("d", None, PLACE) == {}  # type: ignore[arg-type]
    lost = await checks.check("d", None, PLACE)  # type: ignore[arg-type]
    assert lost == {"barque-d.web-0": "answered 500"}
