"""What the world is told of a deployment."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from barque.deployments.models import Deployment
from barque.releases.models import Release
from barque.webhooks.outbox import EventName, announce

_EVENTS: dict[str, EventName] = {
    "releasing": "deployment.started", "live": "deployment.live", "failed": "deployment.failed",
    "cancelled": "deployment.cancelled", "superseded": "deployment.superseded",
}  # fmt: skip
_TOLD = ("id", "status", "trigger", "actor", "error_detail", "created", "started", "finished")


async def tell(session: AsyncSession, row: Deployment) -> None:
    """Tell of the status that a deployment has just got, in the transaction that gives it.

    A rollback that is live is told of as that, too. The steps in between are nobody's concern.
    """
    event = _EVENTS.get(row.status)
    if event is None:
        return
    release = await session.get_one(Release, row.release_id)
    data: dict[str, Any] = {
        "deployment": {name: getattr(row, name) for name in _TOLD},
        "release": {"id": release.id, "version": release.version},
        "image": {"id": release.image_id, "version": release.image_version},
        "commit_sha": release.commit_sha,
    }
    await announce(session, event, row.service_id, data)
    if event == "deployment.live" and row.trigger == "rollback":
        await announce(session, "deployment.rolled_back", row.service_id, data)
