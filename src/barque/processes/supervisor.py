"""Supervision: what runs is made to agree with what should run, and kept so."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import select
from sqlalchemy.exc import NoResultFound

from barque.deployments.journal import ENDED, Journal
from barque.deployments.models import Deployment
from barque.processes.checks import LiveChecks
from barque.processes.instances import Instances, counts_of, network_of, upstream_of
from barque.projects.models import Environment
from barque.releases.models import Release
from barque.routing.port import RouterUnavailable
from barque.runtimes.port import ContainerSpec, Event, RuntimeRefused, RuntimeUnavailable
from barque.services.models import Service
from barque.services.place import Place
from barque.store.unavailable import StoreUnavailable

if TYPE_CHECKING:
    from barque.platform import Platform

_SWEEP = 15.0
_ROUTER = 1.0
_AGAIN = 1.0
_QUIET = 60.0

log = structlog.get_logger()


class Supervisor:
    """Mends the difference between the store and the engine: on events, and every so often."""

    def __init__(self, platform: "Platform", instances: Instances, journal: Journal) -> None:
        self._platform = platform
        self._instances = instances
        self._journal = journal
        self._tasks: set[asyncio.Task[None]] = set()
        self._checks = LiveChecks(platform, instances)
        self._warned: dict[str, float] = {}
        self.one_offs: set[str] = set()

    def start(self) -> None:
        """Begin to supervise."""
        for loop in (self._listen, self._sweep, self._keep_router, self._check_all):
            self._spawn(self._forever(loop))

    def mend_soon(self, service_id: str) -> None:
        """Have a service mended as soon as it is its turn."""
        self._spawn(self._quietly(lambda: self.mend(service_id)))

    def _spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _forever(self, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            await self._quietly(work)
            await asyncio.sleep(_AGAIN)

    async def _quietly(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except (RuntimeUnavailable, RouterUnavailable, RuntimeRefused, StoreUnavailable) as error:
            self._warn(str(error))
        except NoResultFound:
            pass  # The service was deleted meanwhile.
        except Exception:
            log.exception("supervision failed")

    def _warn(self, reason: str) -> None:
        """Say why supervision has to wait: once, not at each of many tries."""
        moment = asyncio.get_running_loop().time()
        if moment - self._warned.get(reason, -_QUIET) >= _QUIET:
            self._warned[reason] = moment
            log.warning("supervision has to wait", reason=reason)

    async def _sweep(self) -> None:
        await self.remove_orphans()
        running, idle = await self._running({}), await self._idle()
        for service_id, deployment_id in await self._live():
            if deployment_id in running or deployment_id not in idle:
                await self._quietly(lambda service_id=service_id: self.mend(service_id))  # type: ignore[misc]
        await asyncio.sleep(_SWEEP)

    async def _running(self, labels: dict[str, str]) -> set[str]:
        """Ask the engine, once, which deployments have any container with these labels.

        What has none costs nothing, however many such services there are.
        """
        mine = {"barque.platform": self._platform.id, **labels}
        found = await self._platform.runtime.containers(mine)
        return {own.get("barque.deployment_id", "") for own in found.values()}

    async def _idle(self) -> set[str]:
        """List the live deployments that are to have no instance."""
        live = (
            select(Deployment.id, Release.processes, Service.process_counts)
            .join(Release, Release.id == Deployment.release_id)
            .join(Service, Service.id == Deployment.service_id)
            .where(Deployment.status == "live")
        )
        async with self._platform.database.read() as session:
            found = (await session.execute(live)).tuples().all()
        return {
            deployment_id
            for deployment_id, processes, counts in found
            if not any(counts_of(processes, counts).values())
        }

    async def _live(self) -> list[tuple[str, str]]:
        """List services and their live deployments, but for those in somebody's hands."""
        async with self._platform.database.read() as session:
            live = select(Deployment.service_id, Deployment.id).where(Deployment.status == "live")
            found = (await session.execute(live)).all()
        turn = self._platform.rollouts.turn
        return [
            (service, deployment) for service, deployment in found if not turn(service).locked()
        ]

    async def _check_all(self) -> None:
        running = await self._running({"barque.process": "web"})
        checks = [
            self._quietly(lambda service=service, deployment=deployment: self._check(  # type: ignore[misc]
                service, deployment
            ))
            for service, deployment in await self._live() if deployment in running
        ]  # fmt: skip
        await asyncio.gather(*checks)
        await asyncio.sleep(self._platform.settings.health_interval)

    async def _check(self, service_id: str, deployment_id: str) -> None:
        """Have what is not fit to serve replaced."""
        _, release, place = await self._platform.rollouts.load(deployment_id)
        for name, said in (await self._checks.check(deployment_id, release, place)).items():
            server = name.rpartition(".")[2]
            self._journal.say(deployment_id, f"{server} is not healthy (it {said}): replacing it")
            async with self._platform.rollouts.turn(service_id):
                self._checks.dismiss(name)
                await self._instances.retire([name])
                self._checks.forget(name)
            await self.mend(service_id)

    async def _keep_router(self) -> None:
        rollouts = self._platform.rollouts
        if not rollouts.resumed.is_set():
            # The engine did not answer at the start.
            await rollouts.resume()
        try:
            await self._platform.router.ping()
        except RouterUnavailable:
            log.warning("the router is gone: starting it again")
            await rollouts.restore_router()
        await asyncio.sleep(_ROUTER)

    async def mend(self, service_id: str) -> None:
        """Make what runs of a service agree with its live release and its process counts."""
        rollouts = self._platform.rollouts
        async with rollouts.turn(service_id):
            async with self._platform.database.read() as session:
                live = select(Deployment.id).where(
                    Deployment.service_id == service_id, Deployment.status == "live"
                )
                deployment_id = await session.scalar(live)
            if deployment_id is not None:
                _, release, place = await rollouts.load(deployment_id)
                await self._mend(deployment_id, release, place)

    async def _mend(self, deployment_id: str, release: Release, place: Place) -> None:
        specs = {s.name: s for s in self._instances.wanted(deployment_id, release, place)}
        self._checks.keep(specs)
        present = await self._instances.of_deployment(deployment_id)
        down = await self._down(name for name in present if name in specs)
        new = [specs[name] for name in specs if name not in present or name in down]
        if new:
            await self._start(deployment_id, new, release, place)
        surplus = [name for name in present if name not in specs]
        if surplus:
            await self._dismiss(deployment_id, surplus)
        for name in set(present) & specs.keys():
            self._instances.watch(name, specs[name].labels, release, place)

    async def _down(self, names: Iterable[str]) -> set[str]:
        states = {name: await self._platform.runtime.inspect(name) for name in names}
        return {n for n, state in states.items() if state and state.state in ("created", "exited")}

    async def _start(
        self, deployment_id: str, new: list[ContainerSpec], release: Release, place: Place
    ) -> None:
        """Start instances; each enters the router by itself, when it is fit."""
        await self._instances.prepare(place)
        for spec in new:
            self._checks.hold_back(spec.name)
        await self._instances.launch(new, release, place)
        for spec in new:
            # One that crashes is started again by the engine, each time a little later.
            await self._platform.runtime.keep_running(spec.name, True)
        upstream = upstream_of(deployment_id)
        await self._platform.router.put_upstream(
            upstream, await self._checks.servers(deployment_id)
        )
        for spec in new:
            self._spawn(self._quietly(lambda name=spec.name: self._admit(  # type: ignore[misc]
                deployment_id, name, release, place
            )))  # fmt: skip

    async def _admit(self, deployment_id: str, name: str, release: Release, place: Place) -> None:
        server = name.rpartition(".")[2]
        complaint = await self._checks.admit(name, release, place)
        said = f"{server} is not fit to serve: {complaint}" if complaint else f"{server} runs"
        self._journal.say(deployment_id, said)

    async def _dismiss(self, deployment_id: str, surplus: list[str]) -> None:
        upstream, router = upstream_of(deployment_id), self._platform.router
        servers = {name: name.rpartition(".")[2] for name in surplus}
        for name in surplus:
            self._checks.dismiss(name)
        await router.put_upstream(upstream, await self._checks.servers(deployment_id))
        for server in servers.values():
            await self._platform.rollouts.drain.run(upstream, server)
        await self._instances.retire(surplus)
        for name in surplus:
            self._checks.forget(name)
        await router.put_upstream(upstream, await self._checks.servers(deployment_id))

    async def _listen(self) -> None:
        labels = {"barque.platform": self._platform.id}
        async for event in self._platform.runtime.events(labels):
            if "barque.deployment_id" in event.labels and ".release-" not in event.name:
                self._spawn(self._quietly(lambda event=event: self._heed(event)))  # type: ignore[misc]

    async def _heed(self, event: Event) -> None:
        if event.action == "die":
            await self._checks.ended(event.name)
            return
        deployment_id = event.labels["barque.deployment_id"]
        deployment, release, place = await self._platform.rollouts.load(deployment_id)
        if deployment.status != "live":
            return
        specs = {s.name: s for s in self._instances.wanted(deployment_id, release, place)}
        if event.name in specs:
            self._instances.watch(event.name, specs[event.name].labels, release, place)
        await self._checks.admit(event.name, release, place)

    async def remove_orphans(self) -> None:
        """Remove containers, networks and logs that belong to nothing any more."""
        platform, labels = self._platform, {"barque.platform": self._platform.id}
        # First what is there, then what should be: nothing that is just being made is an orphan.
        found = await platform.runtime.containers(labels)
        networks = await platform.runtime.networks(labels)
        logged = await platform.collector.services()
        async with platform.database.read() as session:
            over = [status for status in ENDED if status != "live"]
            wanted = set(
                await session.scalars(select(Deployment.id).where(Deployment.status.not_in(over)))
            )
            kept = {network_of(one) for one in await session.scalars(select(Environment.id))}
            services = set(await session.scalars(select(Service.id)))
        orphans = [
            name
            for name, own in found.items()
            if own.get("barque.deployment_id") not in wanted and name not in self.one_offs
        ]
        await self._instances.retire(orphans, 0)
        for network in set(networks) - kept:
            await self._instances.leave(network)
        for service_id in logged - services:
            await platform.collector.forget_service(service_id)
