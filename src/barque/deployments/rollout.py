"""The rollout: start the new, wait for its health, switch, drain the old, stop it.

Killed at any instant, it is done again: before the switch from its beginning, on containers of its
own; from the switch on, onwards. The old keeps serving until the switch, and after a failure.
"""

import asyncio
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import httpx
import structlog
from sqlalchemy import select

from barque.config.masking import Masker
from barque.deployments.models import Deployment
from barque.pipeline.running import Running, WorkCancelled
from barque.projects.models import Environment
from barque.projects.removal import Footprint
from barque.releases.models import Release
from barque.releases.service import thaw
from barque.routing.port import RouterUnavailable, RoutingTable, Server
from barque.runtimes.port import ContainerSpec, Limits, RuntimeRefused, RuntimeUnavailable
from barque.services.place import Place, place_of
from barque.settings import MEBIBYTE
from barque.store.tables import now

if TYPE_CHECKING:
    from barque.platform import Platform

KIND = "deploy"
ENDED = ("live", "failed", "cancelled", "superseded", "retired")
SWITCHED = ("draining", "live")
PORT = 8000
_POLL = 0.05
_PROBE = 5.0
_LAST_LINES = 20

log = structlog.get_logger()


class RolloutFailed(Exception):
    """The new release is not fit to serve; the message says what happened."""


def stream_of(deployment_id: str) -> str:
    """Return the name of a deployment's log."""
    return f"deployment:{deployment_id}"


class Rollouts:
    """Carries deployments out: one at a time for each service, a bounded number at once."""

    def __init__(self, platform: "Platform") -> None:
        self._platform = platform
        self._turns = asyncio.Semaphore(platform.settings.deploy_concurrency)
        self._services: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._running = Running()

    async def resume(self) -> None:
        """Have the router agree with the store, then take up what was begun."""
        await self._restore_router()
        async with self._platform.database.read() as session:
            waiting = select(Deployment.id).where(Deployment.status.not_in(ENDED))
            found = list(await session.scalars(waiting.order_by(Deployment.id)))
        for deployment_id in found:
            await self._platform.pipeline.begin(KIND, deployment_id)

    def cancel(self, deployment_id: str) -> None:
        """End a rollout of this process; its row says already that this is wanted."""
        self._running.cancel(deployment_id)

    async def carry_out(self, deployment_id: str) -> None:
        """Roll one deployment out, and see that it ends, whatever happens."""
        try:
            await self._running.run(deployment_id, self._roll_out(deployment_id))
        except WorkCancelled:
            await self._abandon(deployment_id, "cancelled", "the deployment was cancelled")
        except (RolloutFailed, RuntimeRefused, RuntimeUnavailable, RouterUnavailable) as error:
            await self._abandon(deployment_id, "failed", str(error))
        except Exception:
            log.exception("rollout failed", deployment=deployment_id)
            detail = "the platform failed at this rollout, and has logged why: deploy again"
            await self._abandon(deployment_id, "failed", detail)

    async def erase(self, footprint: Footprint) -> None:
        """Take what was removed out of the router and off the engine."""
        platform = self._platform
        for service_id, host in footprint.hosts.items():
            await platform.router.unroute(host)
            for name in await platform.runtime.names({"barque.service_id": service_id}):
                await platform.router.drop_upstream(name.rpartition(".")[0])
                await platform.runtime.remove(name)
        for env_id in footprint.env_ids:
            async with platform.database.read() as session:
                environment = await session.get(Environment, env_id)
            if environment is None:
                await platform.runtime.remove_network(_network(env_id))

    async def _roll_out(self, deployment_id: str) -> None:
        async with self._platform.database.read() as session:
            row = await session.get(Deployment, deployment_id)
        if row is None:
            return
        async with self._services[row.service_id], self._turns:
            deployment, release, place = await self._load(deployment_id)
            if deployment.status in ENDED or await self._superseded(deployment):
                return
            if deployment.status not in SWITCHED:
                if deployment.cancel_requested:
                    raise asyncio.CancelledError
                await self._remove_containers(deployment_id)
                async with asyncio.timeout(place.svc.deployment_timeout) as limit:
                    try:
                        await self._bring_up(deployment, release, place)
                    except asyncio.CancelledError:
                        if not limit.expired():
                            raise
                        raise RolloutFailed(
                            await self._unhealthy(deployment, release, place)
                        ) from None
                # From here on there is no way back: a cancel would come too late.
                self._running.keep(deployment_id)
                await self._switch(deployment, place)
            await self._retire_old(deployment)

    async def _load(self, deployment_id: str) -> tuple[Deployment, Release, Place]:
        async with self._platform.database.read() as session:
            deployment = await session.get_one(Deployment, deployment_id)
            release = await session.get_one(Release, deployment.release_id)
            return deployment, release, await place_of(session, deployment.service_id)

    async def _superseded(self, deployment: Deployment) -> bool:
        async with self._platform.database.read() as session:
            newer = await session.scalar(
                select(Deployment.id).where(
                    Deployment.service_id == deployment.service_id,
                    Deployment.id > deployment.id,
                    Deployment.status == "queued",
                )
            )
        if newer is not None and deployment.status == "queued":
            await self._step(deployment.id, "superseded", "a newer deployment took its place")
            return True
        return False

    async def _bring_up(self, deployment: Deployment, release: Release, place: Place) -> None:
        await self._step(deployment.id, "releasing", f"release {release.version}")
        runtime = self._platform.runtime
        await runtime.ensure_network(_network(place.env.id), {"barque.env_id": place.env.id})
        await self._run_release_command(deployment, release, place)
        await self._step(deployment.id, "starting", "starting the new containers")
        specs = self._specs(deployment, release, place)
        for spec in specs:
            await runtime.create(spec)
            await runtime.start(spec.name)
        await self._step(deployment.id, "checking", f"waiting for {release.health_check_path}")
        await asyncio.gather(*(self._healthy(spec.name, release, place) for spec in specs))
        for spec in specs:
            await runtime.keep_running(spec.name, True)

    def _specs(self, deployment: Deployment, release: Release, place: Place) -> list[ContainerSpec]:
        counts = place.svc.process_counts
        return [
            self._spec(deployment, release, place, kind, index)
            for kind in release.processes
            if kind != "release"
            for index in range(counts.get(kind, 1 if kind == "web" else 0))
        ]

    def _spec(
        self, deployment: Deployment, release: Release, place: Place, kind: str, index: int
    ) -> ContainerSpec:
        settings = self._platform.settings
        binding = settings.platform(release.platform)
        environment = {
            **thaw(self._platform, place, release),
            "BARQUE_ORG": place.org.slug, "BARQUE_PROJECT": place.project.slug,
            "BARQUE_ENV": place.env.slug, "BARQUE_SERVICE": place.svc.slug,
            "BARQUE_PROCESS": kind, "BARQUE_RELEASE": str(release.version),
            "BARQUE_COMMIT": release.commit_sha or "",
            **({"PORT": str(PORT)} if kind == "web" else {}),
        }  # fmt: skip
        labels = {
            "barque.service_id": place.svc.id, "barque.deployment_id": deployment.id,
            "barque.process": kind, "barque.index": str(index),
        }  # fmt: skip
        return ContainerSpec(
            name=f"barque-{deployment.id}.{kind}-{index}", image=release.image_reference,
            network=_network(place.env.id), address=None,
            command=release.processes[kind] or None, environment=environment, labels=labels,
            limits=Limits(binding.cpus, binding.memory_mb * MEBIBYTE, binding.pids),
            stop_timeout=settings.stop_timeout,
        )  # fmt: skip

    async def _run_release_command(
        self, deployment: Deployment, release: Release, place: Place
    ) -> None:
        if "release" not in release.processes:
            return
        runtime = self._platform.runtime
        spec = self._spec(deployment, release, place, "release", 0)
        await runtime.create(spec)
        await runtime.start(spec.name)
        while (state := await runtime.inspect(spec.name)) and state.state == "running":  # noqa: ASYNC110
            await asyncio.sleep(_POLL)
        said = await self._last_words(spec.name, release, place)
        code = state.exit_code if state else None
        await runtime.remove(spec.name)
        if code != 0:
            raise RolloutFailed(f"the release process ended with exit code {code}{said}")
        self._platform.logs.append(
            stream_of(deployment.id), f"the release process ended well{said}"
        )

    async def _healthy(self, name: str, release: Release, place: Place) -> None:
        """Wait until a container is fit to serve. Raises `RolloutFailed` if it ends."""
        async with httpx.AsyncClient(timeout=_PROBE, trust_env=False) as client:
            while True:
                state = await self._platform.runtime.inspect(name)
                if state is None or state.state != "running":
                    code = state.exit_code if state else "none"
                    why = "out of memory, " if state and state.out_of_memory else ""
                    said = await self._last_words(name, release, place)
                    raise RolloutFailed(f"{name} ended: {why}exit code {code}{said}")
                if ".web-" not in name or await _answers(client, state.address, release):
                    return
                await asyncio.sleep(_POLL)

    async def _unhealthy(self, deployment: Deployment, release: Release, place: Place) -> str:
        names = await self._platform.runtime.names({"barque.deployment_id": deployment.id})
        said = "".join([await self._last_words(name, release, place) for name in sorted(names)])
        return (
            f"{place.svc.health_check_path} did not answer 2xx or 3xx within "
            f"{place.svc.deployment_timeout} s: check health_check_path, and that web listens on "
            f"$PORT{said}"
        )

    async def _last_words(self, name: str, release: Release, place: Place) -> str:
        lines = await self._platform.runtime.output(name, tail=_LAST_LINES)
        secret = {one["name"] for one in release.config_snapshot if one["secret"]}
        values = thaw(self._platform, place, release)
        masker = Masker(values[name] for name in secret)
        return masker.mask("".join(f"\n{line.text}" for line in lines))

    async def _switch(self, deployment: Deployment, place: Place) -> None:
        await self._step(deployment.id, "switching", "pointing the router at the new containers")
        upstream = f"barque-{deployment.id}"
        await self._platform.router.put_upstream(upstream, await self._servers(deployment.id))
        await self._platform.router.point(self._host(place), upstream)
        await self._step(deployment.id, "draining", "letting requests in flight end")

    async def _retire_old(self, deployment: Deployment) -> None:
        async with self._platform.database.read() as session:
            old = list(
                await session.scalars(
                    select(Deployment).where(
                        Deployment.service_id == deployment.service_id, Deployment.status == "live"
                    )
                )
            )
        for one in old:
            await self._drain(f"barque-{one.id}")
            await self._stop_containers(one.id)
            await self._platform.router.drop_upstream(f"barque-{one.id}")
        async with self._platform.database.write() as session:
            for one in old:
                (await session.get_one(Deployment, one.id)).status = "retired"
        await self._step(deployment.id, "live", "the new release serves")

    async def _drain(self, upstream: str) -> None:
        try:
            async with asyncio.timeout(self._platform.settings.drain_timeout):
                while await self._platform.router.in_flight(upstream):  # noqa: ASYNC110
                    await asyncio.sleep(_POLL)
        except TimeoutError:
            log.warning("requests were still in flight after drain_timeout", upstream=upstream)

    async def _servers(self, deployment_id: str) -> list[Server]:
        runtime = self._platform.runtime
        names = await runtime.names(
            {"barque.deployment_id": deployment_id, "barque.process": "web"}
        )
        states = [await runtime.inspect(name) for name in sorted(names)]
        return [
            Server(state.name.rpartition(".")[2], state.address, PORT)
            for state in states
            if state is not None and state.address is not None
        ]

    async def _stop_containers(self, deployment_id: str) -> None:
        runtime, timeout = self._platform.runtime, self._platform.settings.stop_timeout
        names = await runtime.names({"barque.deployment_id": deployment_id})
        await asyncio.gather(*(runtime.stop(name, timeout) for name in names))
        await asyncio.gather(*(runtime.remove(name) for name in names))

    async def _remove_containers(self, deployment_id: str) -> None:
        runtime = self._platform.runtime
        names = await runtime.names({"barque.deployment_id": deployment_id})
        await asyncio.gather(*(runtime.remove(name) for name in names))

    async def _abandon(self, deployment_id: str, status: str, detail: str) -> None:
        async with self._platform.database.read() as session:
            row = await session.get(Deployment, deployment_id)
        if row is None or row.status in ENDED:
            return
        try:
            await self._remove_containers(deployment_id)
        except (RuntimeUnavailable, RuntimeRefused) as error:
            detail += f" (its containers could not be removed: {error})"
        await self._step(deployment_id, status, detail)

    async def _step(self, deployment_id: str, status: str, message: str) -> None:
        """Enter a status: end the step before, begin the next, and write it to the log."""
        moment = now()
        async with self._platform.database.write() as session:
            row = await session.get_one(Deployment, deployment_id)
            steps = [dict(step) for step in row.steps]
            if steps and steps[-1]["finished"] is None:
                steps[-1]["finished"] = moment.isoformat()
            ended = moment.isoformat() if status in ENDED else None
            begun = {"name": status, "started": moment.isoformat(), "finished": ended}
            row.steps = [*steps, {**begun, "message": message}]
            row.status, row.started = status, row.started or moment
            if status in ENDED:
                row.finished = moment
            if status in ("failed", "cancelled"):
                row.error_detail = message
        self._platform.logs.append(stream_of(deployment_id), f"{status}: {message}")

    async def _restore_router(self) -> None:
        async with self._platform.database.read() as session:
            serving = select(Deployment.id).where(Deployment.status.in_(SWITCHED))
            found = list(await session.scalars(serving.order_by(Deployment.id)))
        upstreams: dict[str, Any] = {}
        routes: dict[str, str] = {}
        for deployment_id in found:
            _, _, place = await self._load(deployment_id)
            upstreams[f"barque-{deployment_id}"] = await self._servers(deployment_id)
            # Ids sort by age: the one that drains is newer than the one that is live still.
            routes[self._host(place)] = f"barque-{deployment_id}"
        await self._platform.router.start(RoutingTable(upstreams, routes))

    def _host(self, place: Place) -> str:
        slugs = (place.svc.slug, place.env.slug, place.project.slug, place.org.slug)
        return self._platform.settings.address_of(*slugs)


def _network(env_id: str) -> str:
    return f"barque-{env_id}"


async def _answers(client: httpx.AsyncClient, address: str | None, release: Release) -> bool:
    try:
        answer = await client.get(f"http://{address}:{PORT}{release.health_check_path}")
    except httpx.HTTPError:
        return False
    return 200 <= answer.status_code < 400
