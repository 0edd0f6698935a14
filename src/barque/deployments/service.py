"""Asking for a deployment: the rules around the queue."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from barque.audit.log import record
from barque.deployments.events import tell
from barque.deployments.journal import SWITCHED, enter
from barque.deployments.models import Deployment
from barque.errors import Conflict
from barque.http import Call
from barque.releases.models import Release
from barque.services.place import Place, allow

# Whoever let a branch or pull requests be deployed there had the right to.
_FROM_GITHUB = ("push", "pull_request")


async def enqueue(
    session: AsyncSession, call: Call, place: Place, release: Release, trigger: str
) -> Deployment:
    """Queue a deployment, which supersedes those that are queued still.

    Raises `Forbidden` for whoever may not deploy to a protected environment, and `Conflict` for
    anything but a restart of a locked service.
    """
    if place.svc.locked_by is not None and trigger != "restart":
        raise Conflict(
            f"{place.path} is locked by {place.svc.locked_by}: {place.svc.lock_reason} "
            "(unlock it with DELETE .../lock)"
        )
    if place.env.protected and trigger not in _FROM_GITHUB:
        allow(call.actor, place, "admin")
    mine = select(Deployment).where(Deployment.service_id == place.svc.id)
    for older in await session.scalars(mine.where(Deployment.status == "queued")):
        enter(older, "superseded", "a newer deployment took its place")
        await tell(session, older)
    row = Deployment(
        service_id=place.svc.id, release_id=release.id, trigger=trigger, actor=call.actor.email,
        steps=[],
    )  # fmt: skip
    session.add(row)
    await session.flush()
    record(session, call, f"service.{trigger}", place=place, after={"release": release.version})
    return row


async def live_release(session: AsyncSession, place: Place) -> Release:
    """Return the release that serves. Raises `Conflict` when none does."""
    return await session.get_one(Release, (await what_serves(session, place)).release_id)


async def what_serves(session: AsyncSession, place: Place) -> Deployment:
    """Return the deployment that serves. Raises `Conflict` when none does."""
    found = await live_deployment(session, place.svc.id)
    if found is None:
        raise Conflict(f"{place.path} is not live: deploy it first, with POST .../deploy")
    return found


async def live_deployment(session: AsyncSession, service_id: str) -> Deployment | None:
    """Return the deployment that serves, if there is one."""
    mine = select(Deployment).where(Deployment.service_id == service_id)
    found: Deployment | None = await session.scalar(
        mine.where(Deployment.status.in_(SWITCHED)).order_by(Deployment.id.desc()).limit(1)
    )
    return found


async def last_live(session: AsyncSession, place: Place) -> Release:
    """Return the last release that was live before the present one. Raises `Conflict`."""
    mine = select(Deployment).where(Deployment.service_id == place.svc.id)
    before = mine.where(Deployment.status == "retired").order_by(Deployment.id.desc()).limit(1)
    present = await live_deployment(session, place.svc.id)
    if present is not None:
        before = before.where(Deployment.release_id != present.release_id)
    found = await session.scalar(before)
    if found is None:
        raise Conflict("no earlier release was live: there is nothing to go back to")
    return await session.get_one(Release, found.release_id)
