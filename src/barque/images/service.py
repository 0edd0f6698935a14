"""The rules of images: numbering, reading, cancelling."""

from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from barque.errors import Conflict, NotFound
from barque.images.models import Image
from barque.services.models import Service
from barque.services.place import Place

ENDED = ("built", "error", "cancelled")
# Containers inherit the labels of their image: this one must say nothing of them.
BUILT_BY = "barque.built_by"


def stream_of(image_id: str) -> str:
    """Return the name of an image's build log."""
    return f"image:{image_id}"


async def next_version(session: AsyncSession, service_id: str) -> int:
    """Draw the next number of a service's images."""
    return await session.scalar(  # type: ignore[return-value]
        update(Service)
        .where(Service.id == service_id)
        .values(last_image_version=Service.last_image_version + 1, updated=Service.updated)
        .returning(Service.last_image_version)
    )


async def enqueue(session: AsyncSession, place: Place, ref: str | None) -> Image:
    """Make the next image of a service, queued. Raises `Conflict` without a repository.

    The number is drawn in the transaction of the row, so that there is no gap and no repeat.
    """
    service: Service = place.svc
    if service.github_repository is None:
        raise Conflict(
            "the service has no github_repository to build: set one with PATCH first, or bring the "
            "source with 'barque deploy --source .' or 'git push'"
        )
    return await add(session, place, ref=ref or service.auto_deploy_branch)


async def add(session: AsyncSession, place: Place, **fields: Any) -> Image:
    """Make the next image of a service, queued, whatever it is built from."""
    version = await next_version(session, place.svc.id)
    reference = f"barque/{place.svc.id}:{version}"
    image = Image(service_id=place.svc.id, version=version, reference=reference, **fields)
    session.add(image)
    await session.flush()
    return image


async def image_at(session: AsyncSession, place: Place, version: int) -> Image:
    """Return a service's image. Raises `NotFound`."""
    found = await session.scalar(
        select(Image).where(Image.service_id == place.svc.id, Image.version == version)
    )
    if found is None:
        raise NotFound(f"image {version or 'of that version'} not found in {place.path}")
    return found


async def still_there(session: AsyncSession, image_id: str) -> Image:
    """Return an image that is to be deployed. Raises `Conflict` for one that was pruned.

    It is not pruned before the transaction is over, and after that the deployment keeps it.
    """
    image = await session.get_one(Image, image_id, with_for_update={"read": True})
    if image.pruned is not None:
        again = (
            f'build its commit again, with POST .../images/build {{"ref": "{image.commit_sha}"}}'
        )
        if image.source != "repository":
            again = "bring its source again, with 'barque deploy --source .' or 'git push'"
        raise Conflict(
            f"image {image.version} was removed, as newer ones took its place (images_kept says "
            f"how many stay): {again}, and deploy that"
        )
    return image


def newest_first(place: Place) -> Any:
    """Select a service's images, newest first."""
    return select(Image).where(Image.service_id == place.svc.id).order_by(Image.version.desc())
