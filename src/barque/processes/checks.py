"""Health checks of what is live: the ill leave the router at once, and come back when well."""

import asyncio
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from barque.processes.instances import Instances, Unfit, is_web, upstream_of
from barque.releases.models import Release
from barque.routing.port import Server
from barque.services.place import Place
from barque.store.tables import now

if TYPE_CHECKING:
    from barque.platform import Platform

# So many failed health checks in a row, and an instance is replaced. The next one that takes its
# place has twice as long, and so on.
_FAILURES = 3
_PATIENCE = 6


class LiveChecks:
    """What is known of the health of live web instances, each by its container's name."""

    def __init__(self, platform: "Platform", instances: Instances) -> None:
        self._platform = platform
        self._instances = instances
        self._out: set[str] = set()
        self._leaving: set[str] = set()
        self._starting: set[str] = set()
        self._failures: Counter[str] = Counter()
        self._replaced: Counter[str] = Counter()

    def hold_back(self, name: str) -> None:
        """Keep an instance that starts out of the router until it is fit."""
        self._out.add(name)
        self._starting.add(name)
        self._failures.pop(name, None)

    def keep(self, names: Iterable[str]) -> None:
        """Take dismissals back, such as those that the engine kept from being carried out."""
        self._leaving.difference_update(names)

    async def ended(self, name: str) -> None:
        """Take an instance that ended out of the router, until it is fit again."""
        self.hold_back(name)
        await self._route(name, False)

    def forget(self, name: str) -> None:
        """Forget an instance that is no more."""
        self._failures.pop(name, None)
        for names in (self._out, self._starting, self._leaving):
            names.discard(name)

    def dismiss(self, name: str) -> None:
        """Let nothing put an instance into the router again, such as a check that is on its way."""
        self._leaving.add(name)

    async def servers(self, deployment_id: str) -> list[Server]:
        """List a deployment's web instances for the router, those that are fit enabled.

        When none is, all that run and are to stay are: the last one is better than none.
        """
        upstream = upstream_of(deployment_id)
        found = await self._instances.servers(deployment_id)
        staying = {one.name for one in found if f"{upstream}.{one.name}" not in self._leaving}
        fit = {name for name in staying if f"{upstream}.{name}" not in self._out}
        if not any(one.enabled and one.name in fit for one in found):
            fit = staying
        return [replace(one, enabled=one.enabled and one.name in fit) for one in found]

    async def admit(self, name: str, release: Release, place: Place) -> str | None:
        """Put an instance into the router as soon as it is fit. Returns why it never was."""
        try:
            async with asyncio.timeout(place.svc.deployment_timeout):
                await self._instances.healthy(name, release, place)
        except Unfit as error:
            return str(error)
        except TimeoutError:
            return str(await self._instances.unanswered([name], release, place))
        if is_web(name):
            await self._let_in(name)
        return None

    async def check(self, deployment_id: str, release: Release, place: Place) -> dict[str, str]:
        """Check every web instance once. Returns those to replace, each with what it did."""
        labels = {"barque.deployment_id": deployment_id, "barque.process": "web"}
        names = sorted(await self._platform.runtime.containers(labels))
        said = await asyncio.gather(*(self._ask(name, release, place) for name in names))
        complaints = {name: text for name, text in zip(names, said, strict=True) if text}
        # What was dismissed meanwhile serves no more, whatever it answered.
        names = [name for name in names if name not in self._leaving]
        complaints = {name: complaints[name] for name in names if name in complaints}
        for name in names:
            if name not in complaints:
                await self._let_in(name)
            elif len(complaints) < len(names):
                # As long as another serves; the last one is better than none.
                await self._take_out(name)
        lost = [name for name in complaints if self._failures[name] >= self._patience(name)]
        self._replaced.update(lost)
        return {name: complaints[name] for name in lost}

    async def _ask(self, name: str, release: Release, place: Place) -> str | None:
        state = await self._platform.runtime.inspect(name)
        if state is None or state.state != "running":
            # The engine starts it again, each time a little later.
            return "does not run"
        complaint = await self._instances.probe(state.address, release)
        grace = timedelta(seconds=place.svc.deployment_timeout)
        young = state.started is not None and now() - state.started < grace
        # One that a rollout brought up was fit before it was live.
        if complaint and not (name in self._starting and young):
            self._failures[name] += 1
        return complaint

    def _patience(self, name: str) -> int:
        return int(_FAILURES * 2 ** min(self._replaced[name], _PATIENCE))

    async def _let_in(self, name: str) -> None:
        if name in self._leaving:
            return
        self._out.discard(name)
        self._starting.discard(name)
        self._failures.pop(name, None)
        await self._route(name, True)

    async def _take_out(self, name: str) -> None:
        self._out.add(name)
        await self._route(name, False)

    async def _route(self, name: str, enabled: bool) -> None:
        upstream, _, server = name.rpartition(".")
        await self._platform.router.enable(upstream, server, enabled)
