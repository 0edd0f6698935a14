"""The newest image, release and deployment of a service."""

from typing import Any

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from barque.deployments.models import Deployment
from barque.fields import Moment
from barque.images.models import Image
from barque.releases.models import Release

TABLES = ("images", "releases", "deployments")


class LatestVersion(msgspec.Struct, frozen=True):
    """The newest image or release."""

    id: str
    version: int
    status: str
    created: Moment


class LatestDeployment(msgspec.Struct, frozen=True):
    """The newest deployment."""

    id: str
    status: str
    release_id: str
    created: Moment
    finished: Moment | None


_STAGES: tuple[Any, ...] = (Image, Release, Deployment)
_SHAPES: tuple[Any, ...] = (LatestVersion, LatestVersion, LatestDeployment)


async def latest(
    session: AsyncSession, service_id: str
) -> tuple[LatestVersion | None, LatestVersion | None, LatestDeployment | None]:
    """Read the newest image, release and deployment of a service."""
    rows = [
        await session.scalar(
            select(table).where(table.service_id == service_id).order_by(table.id.desc()).limit(1)
        )
        for table in _STAGES
    ]
    image, release, deployment = (
        msgspec.convert(row, shape, from_attributes=True) if row is not None else None
        for row, shape in zip(rows, _SHAPES, strict=True)
    )
    return image, release, deployment
