"""The first half of a rollout: the new containers, up and fit to serve, beside the old.

They come up batch by batch, so that a release that is not fit is found out by its first, and the
machine is not asked for everything at once. All of them are fit before the router is switched.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from barque.deployments.journal import Journal
from barque.deployments.models import Deployment
from barque.processes.instances import POLL, Instances, Unfit, is_web, upstream_of
from barque.releases.models import Release
from barque.releases.service import stream_of as release_log
from barque.runtimes.port import ContainerSpec
from barque.services.place import Place

if TYPE_CHECKING:
    from barque.platform import Platform

_SHARE = 4


def batches(specs: Sequence[ContainerSpec]) -> list[list[ContainerSpec]]:
    """Divide containers into at most four batches: of each process type a quarter, at least one."""
    kinds: dict[str, list[ContainerSpec]] = {}
    for spec in specs:
        kinds.setdefault(spec.labels["barque.process"], []).append(spec)
    found: list[list[ContainerSpec]] = [[] for _ in range(_SHARE)]
    for group in kinds.values():
        size = -(-len(group) // _SHARE)
        for position, spec in enumerate(group):
            found[position // size].append(spec)
    return [batch for batch in found if batch]


class BringUp:
    """Brings new containers up. Raises `Unfit` when they are not fit to serve."""

    def __init__(self, platform: "Platform", instances: Instances, journal: Journal) -> None:
        self._platform = platform
        self._instances = instances
        self._journal = journal

    async def run(
        self, deployment: Deployment, release: Release, place: Place, old: Sequence[str]
    ) -> None:
        """Bring a deployment's containers up; `old` are the containers that it replaces.

        Workers of a service that asked for `stop-first` are started when the old ones have ended,
        and only once web is known to be fit.
        """
        await self._instances.prepare(place)
        await self._run_release_command(deployment, release, place)
        await self._journal.enter(deployment.id, "starting", "starting the new containers")
        specs = self._instances.wanted(deployment.id, release, place)
        stop_first = place.svc.update_order == "stop-first"
        first = batches([spec for spec in specs if is_web(spec.name) or not stop_first])
        last = batches([spec for spec in specs if not is_web(spec.name) and stop_first])
        await self._in_turn(deployment, release, place, first, announce=True)
        if stop_first:
            await self._stop_workers(deployment, old)
        await self._in_turn(deployment, release, place, last)

    async def _in_turn(
        self, deployment: Deployment, release: Release, place: Place,
        found: list[list[ContainerSpec]], announce: bool = False,
    ) -> None:  # fmt: skip
        for number, batch in enumerate(found, 1):
            names = [spec.name for spec in batch]
            if len(found) > 1:
                servers = ", ".join(name.rpartition(".")[2] for name in names)
                self._journal.say(deployment.id, f"batch {number} of {len(found)}: {servers}")
            await self._instances.launch(batch, release, place)
            if announce and number == 1:
                path = release.health_check_path
                await self._journal.enter(deployment.id, "checking", f"waiting for {path}")
            try:
                async with asyncio.timeout(place.svc.deployment_timeout):
                    await self._instances.all_healthy(names, release, place)
            except TimeoutError:
                raise await self._instances.unanswered(names, release, place) from None

    async def _stop_workers(self, deployment: Deployment, old: Sequence[str]) -> None:
        """Stop the old workers without removing them: a rollout that fails starts them again."""
        workers = [name for name in old if not is_web(name)]
        if workers:
            self._journal.say(deployment.id, "stopping the old workers first, as the service asks")
        await self._instances.stop(workers)

    async def _run_release_command(
        self, deployment: Deployment, release: Release, place: Place
    ) -> None:
        if "release" not in release.processes:
            return
        runtime, name = self._platform.runtime, f"{upstream_of(deployment.id)}.release-0"
        labels = {"barque.deployment_id": deployment.id}
        spec = self._instances.spec(name, release, place, "release", 0, labels)
        await self._instances.launch([spec], release, place)
        late = f" (it took over {place.svc.deployment_timeout} s: raise deployment_timeout)"
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(place.svc.deployment_timeout):
                while (state := await runtime.inspect(name)) and state.state == "running":  # noqa: ASYNC110
                    await asyncio.sleep(POLL)
                late = ""
        await runtime.stop(name, 0)
        state = await runtime.inspect(name)
        masker = self._instances.masker(release, place)
        for line in await runtime.output(name):
            self._platform.logs.append(release_log(release.id), masker.mask(line.text))
        said = await self._instances.last_words(name, release, place)
        code = state.exit_code if state else None
        await self._instances.retire([name], 0)
        if code != 0:
            raise Unfit(f"the release process ended with exit code {code}{late}{said}")
        self._journal.say(deployment.id, f"the release process ended well{said}")
