"""The rules of images: numbering, reading, cancelling."""

from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from barque.errors import Conflict, Invalid, NotFound
from barque.images.events import tell
from barque.images.models import Image
from barque.images.prebuilt import own_name
from barque.projects.models import Environment, Project
from barque.services.models import Service
from barque.services.place import Place
from barque.store.tables import now

if TYPE_CHECKING:
    from barque.platform import Platform

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


async def enqueue(
    session: AsyncSession, platform: "Platform", place: Place, ref: str | None,
    pushed_branch: str | None = None,
) -> Image:  # fmt: skip
    """Make the next image of a service, queued. Raises `Conflict` without anything to build.

    The number is drawn in the transaction of the row, so that there is no gap and no repeat. What
    a push asked for takes the place of what an earlier push to the same branch did.
    """
    service: Service = place.svc
    prebuilt = service.image_reference is not None
    if prebuilt and ref is not None:
        raise Invalid.field("ref", "is of a repository: this service names an image_reference")
    if not prebuilt and service.github_repository is None:
        raise Conflict(
            "the service has nothing to build: set github_repository or image_reference with "
            "PATCH, or bring the source with 'barque deploy --source .' or 'git push'"
        )
    image = await add(
        session, place, image_reference=service.image_reference, pushed_branch=pushed_branch,
        ref=None if prebuilt else ref or service.auto_deploy_branch,
    )  # fmt: skip
    if prebuilt:
        image.reference = own_name(platform.id, service.id, image.version)
    if pushed_branch is not None:
        await _supersede(session, platform, image)
    return image


async def add(session: AsyncSession, place: Place, **fields: Any) -> Image:
    """Make the next image of a service, queued, whatever it is built from."""
    version = await next_version(session, place.svc.id)
    reference = f"barque/{place.svc.id}:{version}"
    image = Image(service_id=place.svc.id, version=version, reference=reference, **fields)
    session.add(image)
    await session.flush()
    return image


def asked_for(image: Image) -> dict[str, Any]:
    """Say what a build was asked for, for the audit log."""
    if image.image_reference is not None:
        return {"image_reference": image.image_reference}
    return {"ref": image.ref}


async def _supersede(session: AsyncSession, platform: "Platform", newer: Image) -> None:
    older = select(Image).where(
        Image.service_id == newer.service_id, Image.pushed_branch == newer.pushed_branch,
        Image.status == "queued", Image.version < newer.version,
    )  # fmt: skip
    for image in await session.scalars(older.with_for_update()):
        image.status, image.finished = "cancelled", now()
        image.error_detail = f"superseded by version {newer.version}"
        await tell(session, image)
        platform.logs.append(stream_of(image.id), image.error_detail)


def unfinished() -> Any:
    """Select the builds that have not ended: id, organization and status, the oldest first."""
    return (
        select(Image.id, Project.org_id, Image.status)
        .join(Service, Service.id == Image.service_id)
        .join(Environment, Environment.id == Service.environment_id)
        .join(Project, Project.id == Environment.project_id)
        .where(Image.status.not_in(ENDED))
        .order_by(Image.id)
    )


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
        if image.image_reference is not None:
            again = f"build it again, with image_reference {image.image_reference}"
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
