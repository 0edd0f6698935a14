"""What the world is told of a build."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from barque.images.models import Image
from barque.webhooks.outbox import EventName, announce

_EVENTS: dict[str, EventName] = {
    "building": "build.started", "built": "build.succeeded", "error": "build.failed",
    "cancelled": "build.cancelled",
}  # fmt: skip
_TOLD = (
    "id", "version", "status", "ref", "image_reference", "commit_sha", "image_digest",
    "error_detail", "created", "started", "finished",
)  # fmt: skip


async def tell(session: AsyncSession, image: Image) -> None:
    """Tell of the status that an image has just got, in the transaction that gives it."""
    data: dict[str, Any] = {name: getattr(image, name) for name in _TOLD}
    await announce(session, _EVENTS[image.status], image.service_id, {"image": data})
