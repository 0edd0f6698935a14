"""What a deployment or a rollback would change, before anybody asks for it."""

from typing import Annotated

import msgspec
from msgspec import Meta
from sqlalchemy.ext.asyncio import AsyncSession

from barque.deployments.service import last_live, live_deployment
from barque.http import Call, Routes
from barque.releases.diff import ReleaseDiff, diff
from barque.releases.models import Release
from barque.releases.service import draft, image_to_release, release_at

routes = Routes("/orgs/{org}/projects/{project}/envs/{env}/services/{svc}")


Version = Annotated[int, Meta(ge=0, le=2_147_483_647)]


class DeployQuery(msgspec.Struct, frozen=True):
    """What would be deployed: an image's version, or 0 for the newest that is built."""

    image_version: Version = 0


class RollbackQuery(msgspec.Struct, frozen=True):
    """What one would go back to: a release's version, or 0 for the last that was live before."""

    release_version: Version = 0


async def _serving(session: AsyncSession, call: Call) -> Release | None:
    live = await live_deployment(session, call.place.svc.id)
    return await session.get_one(Release, live.release_id) if live is not None else None


@routes.endpoint(
    "GET", "/deploy/preview", answer=ReleaseDiff, query=DeployQuery, errors=(409,)
)  # fmt: skip
async def preview_deploy(call: Call) -> ReleaseDiff:
    """Show what a deployment would change of what serves now."""
    query = call.query(DeployQuery)
    async with call.platform.database.read() as session:
        image = await image_to_release(session, call.place, query.image_version or None)
        new = await draft(session, call.platform, call.place, image)
        return diff(await _serving(session, call), new)


@routes.endpoint(
    "GET", "/rollback/preview", answer=ReleaseDiff, query=RollbackQuery, errors=(409,)
)  # fmt: skip
async def preview_rollback(call: Call) -> ReleaseDiff:
    """Show what a rollback would change of what serves now."""
    query = call.query(RollbackQuery)
    async with call.platform.database.read() as session:
        if query.release_version:
            old = await release_at(session, call.place, query.release_version)
        else:
            old = await last_live(session, call.place)
        return diff(await _serving(session, call), old)
