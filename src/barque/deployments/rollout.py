"""The rollout: start the new, wait for its health, switch, drain the old, stop it.

Killed at any instant, it is done again: before the switch from its beginning, on containers of its
own; from the switch on, onwards. The old keeps serving until the switch, and after a failure.
"""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy import select
from sqlalchemy.exc import NoResultFound

from barque.deployments.bring_up import BringUp
from barque.deployments.drain import Drain
from barque.deployments.journal import ENDED, SWITCHED, Journal
from barque.deployments.models import Deployment
from barque.images.models import Image
from barque.pipeline.running import Running, WorkCancelled
from barque.processes.instances import Instances, Unfit, network_of, upstream_of
from barque.projects.models import Environment
from barque.projects.removal import Footprint
from barque.releases.models import Release
from barque.releases.service import complete
from barque.routing.port import RouterUnavailable, RoutingTable
from barque.runtimes.port import RuntimeRefused, RuntimeUnavailable
from barque.services.place import Place, host_of, place_of
from barque.store.unavailable import StoreUnavailable

if TYPE_CHECKING:
    from barque.platform import Platform

KIND = "deploy"
# Seconds from one look to the next of what has come too early.
_AGAIN = 0.1

log = structlog.get_logger()


class Rollouts:
    """Carries deployments out: one at a time for each service, a bounded number at once."""

    def __init__(self, platform: "Platform", instances: Instances, journal: Journal) -> None:
        self._platform = platform
        self._instances = instances
        self._journal = journal
        self._slots = asyncio.Semaphore(platform.settings.deploy_concurrency)
        self._locks: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._present: dict[str, str] = {}
        self.resumed = asyncio.Event()
        self._running = Running()
        self._bring_up = BringUp(platform, instances, journal)
        self.drain = Drain(platform)

    async def resume(self) -> None:
        """Have the router agree with the store, then take up what was begun.

        Raises `RuntimeUnavailable` and `RouterUnavailable`: it is safe to do again.
        """
        await self.restore_router()
        self.resumed.set()
        async with self._platform.database.read() as session:
            waiting = select(Deployment.id).where(Deployment.status.not_in(ENDED))
            found = list(await session.scalars(waiting.order_by(Deployment.id)))
        for deployment_id in found:
            await self._platform.pipeline.begin(KIND, deployment_id)

    def cancel(self, deployment_id: str) -> None:
        """End a rollout of this process; its row says already that this is wanted."""
        self._running.cancel(deployment_id)

    def turn(self, service_id: str) -> asyncio.Lock:
        """Return the lock of whoever changes what runs of a service."""
        return self._locks[service_id]

    async def carry_out(self, deployment_id: str) -> None:
        """Roll one deployment out, and see that it ends, whatever happens.

        Raises `StoreUnavailable` when the store does not answer: it is safe to do again.
        """
        try:
            await self._running.run(deployment_id, self._roll_out(deployment_id))
        except WorkCancelled:
            await self._abandon(deployment_id, "cancelled", "the deployment was cancelled")
        except NoResultFound:
            # The service was deleted meanwhile.
            await self._instances.retire(await self._instances.of_deployment(deployment_id), 0)
        except (Unfit, RuntimeRefused, RuntimeUnavailable, RouterUnavailable) as error:
            await self._abandon(deployment_id, "failed", str(error))
        except StoreUnavailable:
            raise
        except Exception:
            log.exception("rollout failed", deployment=deployment_id)
            detail = "the platform failed at this rollout, and has logged why: deploy again"
            await self._abandon(deployment_id, "failed", detail)

    async def erase(self, footprint: Footprint) -> None:
        """Take what was removed out of the router and off the engine."""
        platform = self._platform
        for image_id in footprint.builds:
            platform.builds.cancel(image_id)
        for service_id, host in footprint.hosts.items():
            if deployment_id := self._present.get(service_id):
                self._running.cancel(deployment_id)
            async with self.turn(service_id):
                await platform.router.unroute(host)
                found = await platform.runtime.containers({"barque.service_id": service_id})
                for deployment_id in {one.get("barque.deployment_id") for one in found.values()}:
                    await platform.router.drop_upstream(upstream_of(deployment_id or ""))
                await self._instances.retire(found, 0)
            await platform.collector.forget_service(service_id)
        for env_id in footprint.env_ids:
            async with platform.database.read() as session:
                environment = await session.get(Environment, env_id)
            if environment is None:
                await self._instances.leave(network_of(env_id))

    async def _roll_out(self, deployment_id: str) -> None:
        deployment, release, place = await self.load(deployment_id)
        if deployment.status in ENDED:
            return
        if deployment.cancel_requested and deployment.status not in SWITCHED:
            raise asyncio.CancelledError
        if release.status == "pending":
            await self._await_image(release)
        # What the last process left is taken up at once, and may be here before the router is told
        # what it serves, or the engine is up.
        await self.resumed.wait()
        async with self._in_turn(place.svc.id, deployment_id):
            deployment, release, place = await self.load(deployment_id)
            if deployment.status in ENDED:
                return
            if deployment.status not in SWITCHED:
                if not await self._journal.enter(
                    deployment_id, "releasing", f"release {release.version}"
                ):
                    return
                await self._take_over(deployment, release, place)
            await self._retire_old(deployment)

    @asynccontextmanager
    async def _in_turn(self, service_id: str, deployment_id: str) -> AsyncIterator[None]:
        async with self._turn_of(service_id, deployment_id), self._slots:
            self._present[service_id] = deployment_id
            try:
                yield
            finally:
                del self._present[service_id]

    @asynccontextmanager
    async def _turn_of(self, service_id: str, deployment_id: str) -> AsyncIterator[None]:
        """Take the turn after those that were asked for before, also where they are resumed."""
        while True:
            async with self.turn(service_id):
                if not await self._elder_goes_on(service_id, deployment_id):
                    yield
                    return
            await asyncio.sleep(_AGAIN)

    async def _elder_goes_on(self, service_id: str, deployment_id: str) -> bool:
        """Tell whether an older deployment has still to end."""
        older = select(Deployment.id).where(
            Deployment.service_id == service_id, Deployment.id < deployment_id,
            Deployment.status.not_in(ENDED),
        )  # fmt: skip
        async with self._platform.database.read() as session:
            return await session.scalar(older.limit(1)) is not None

    async def load(self, deployment_id: str) -> tuple[Deployment, Release, Place]:
        """Read a deployment, its release, and where it belongs. Raises `NoResultFound`."""
        async with self._platform.database.read() as session:
            deployment = await session.get_one(Deployment, deployment_id)
            release = await session.get_one(Release, deployment.release_id)
            return deployment, release, await place_of(session, deployment.service_id)

    async def _await_image(self, release: Release) -> None:
        await self._platform.builds.ended(release.image_id)
        async with self._platform.database.write() as session:
            image = await session.get_one(Image, release.image_id)
            row = await session.get_one(Release, release.id)
            if image.status == "built":
                complete(row, image)
            else:
                # Also of a deployment that was superseded meanwhile: nothing will become of it.
                row.status = "failed"
        if image.status != "built":
            raise Unfit(f"image {image.version} was not built: {image.error_detail}")

    async def _take_over(self, deployment: Deployment, release: Release, place: Place) -> None:
        await self._instances.retire(await self._instances.of_deployment(deployment.id), 0)
        old = [
            name
            for one in await self._live(place.svc.id)
            for name in await self._instances.of_deployment(one.id)
        ]
        await self._bring_up.run(deployment, release, place, old)
        # From here on there is no way back: a cancel would come too late.
        self._running.keep(deployment.id)
        await self._journal.enter(
            deployment.id, "switching", "pointing the router at the new containers"
        )
        await self._surely(lambda: self._switch(deployment, place))
        await self._journal.enter(deployment.id, "draining", "letting requests in flight end")

    async def _switch(self, deployment: Deployment, place: Place) -> None:
        upstream, router = upstream_of(deployment.id), self._platform.router
        await router.put_upstream(upstream, await self._instances.servers(deployment.id))
        await router.point(host_of(self._platform.settings, place), upstream)

    async def _surely(self, change: Callable[[], Awaitable[None]]) -> None:
        """Change the router, once more after its revival if it was gone."""
        try:
            await change()
        except RouterUnavailable:
            await self.restore_router()
            await change()

    async def _retire_old(self, deployment: Deployment) -> None:
        names = await self._instances.of_deployment(deployment.id)
        await asyncio.gather(*(self._platform.runtime.keep_running(n, True) for n in names))
        old = await self._live(deployment.service_id)
        for one in old:
            if not await self.drain.run(upstream_of(one.id)):
                self._journal.say(deployment.id, "requests are still in flight: ending them now")
            await self._instances.retire(await self._instances.of_deployment(one.id))
            await self._surely(lambda one=one: self._drop(one.id))  # type: ignore[misc]
        async with self._platform.database.write() as session:
            for one in old:
                (await session.get_one(Deployment, one.id)).status = "retired"
                if one.release_id != deployment.release_id:
                    (await session.get_one(Release, one.release_id)).status = "retired"
        await self._journal.enter(deployment.id, "live", "the new release serves")
        self._platform.pruner.soon(deployment.service_id)

    async def _live(self, service_id: str) -> list[Deployment]:
        async with self._platform.database.read() as session:
            live = select(Deployment).where(
                Deployment.service_id == service_id, Deployment.status == "live"
            )
            return list(await session.scalars(live))

    async def _drop(self, deployment_id: str) -> None:
        await self._platform.router.drop_upstream(upstream_of(deployment_id))

    async def _abandon(self, deployment_id: str, status: str, detail: str) -> None:
        with contextlib.suppress(NoResultFound):
            row, _, place = await self.load(deployment_id)
            if row.status in ENDED:
                return
            if row.status == "switching":
                await self._switch_back(deployment_id, place)
            try:
                await self._instances.retire(await self._instances.of_deployment(deployment_id), 0)
            except (RuntimeUnavailable, RuntimeRefused) as error:
                detail += f" (its containers are removed later: {error})"
            await self._journal.enter(deployment_id, status, detail)
            # Whatever was stopped of the old for the new to start is started again.
            self._platform.supervisor.mend_soon(place.svc.id)

    async def _switch_back(self, deployment_id: str, place: Place) -> None:
        """Have the router agree with the store again, wherever the switch was interrupted."""
        old = await self._live(place.svc.id)
        # A router that is gone will be revived from the store, which knows of no switch.
        with contextlib.suppress(RouterUnavailable):
            if not old:
                await self._platform.router.unroute(host_of(self._platform.settings, place))
            else:
                await self._platform.router.point(
                    host_of(self._platform.settings, place), upstream_of(old[0].id)
                )
            await self._drop(deployment_id)

    async def restore_router(self) -> None:
        """Adopt or start the router, with all that it is to know."""
        async with self._platform.database.read() as session:
            serving = select(Deployment.id).where(Deployment.status.in_(SWITCHED))
            found = list(await session.scalars(serving.order_by(Deployment.id)))
        upstreams: dict[str, Any] = {}
        routes: dict[str, str] = {}
        for deployment_id in found:
            _, _, place = await self.load(deployment_id)
            upstreams[upstream_of(deployment_id)] = await self._instances.servers(deployment_id)
            # Ids sort by age: the one that drains is newer than the one that is live still.
            routes[host_of(self._platform.settings, place)] = upstream_of(deployment_id)
        await self._platform.router.start(RoutingTable(upstreams, routes))
