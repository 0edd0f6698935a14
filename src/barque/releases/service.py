"""Freezing an image and a configuration into a release, and thawing it."""

from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from barque.errors import Conflict, NotFound
from barque.images.models import Image
from barque.images.service import still_there
from barque.releases.models import Release
from barque.services.models import Service
from barque.services.place import Place

if TYPE_CHECKING:
    from barque.platform import Platform


async def image_to_release(session: AsyncSession, place: Place, version: int | None) -> Image:
    """Return the built image that was asked for, or the newest. Raises `Conflict`."""
    wanted = select(Image).where(Image.service_id == place.svc.id, Image.status == "built")
    if version is not None:
        wanted = wanted.where(Image.version == version)
    image = await session.scalar(wanted.order_by(Image.version.desc()).limit(1))
    if image is None:
        which = f"image {version} is not built" if version else "no image is built yet"
        raise Conflict(f"{which}: build first, with POST .../images/build")
    return await still_there(session, image.id)


async def freeze(
    session: AsyncSession, platform: "Platform", place: Place, image: Image
) -> Release:
    """Make the next release of a service."""
    release = await draft(session, platform, place, image)
    release.version = await session.scalar(  # type: ignore[assignment]
        update(Service)
        .where(Service.id == place.svc.id)
        .values(last_release_version=Service.last_release_version + 1, updated=Service.updated)
        .returning(Service.last_release_version)
    )
    before = await session.scalar(_releases(place).limit(1))
    release.changes = changes(before, image.version, release.config_snapshot)
    session.add(release)
    await session.flush()
    for line in _describe(release):
        platform.logs.append(stream_of(release.id), line)
    return release


async def draft(session: AsyncSession, platform: "Platform", place: Place, image: Image) -> Release:
    """Return what a release of an image would be now, without making one: it has no version."""
    config = await platform.config.opened(session, place)
    key = place.org.data_key
    snapshot = [
        {
            "name": one.name, "scope": one.scope, "secret": one.secret,
            "fingerprint": platform.vault.fingerprint(key, one.value),
        }
        for one in config
    ]  # fmt: skip
    sealed = msgspec.json.encode({one.name: one.value for one in config}).decode()
    return Release(
        service_id=place.svc.id, image_id=image.id, image_version=image.version,
        image_reference=image.reference, platform=place.svc.platform, commit_sha=image.commit_sha,
        health_check_path=place.svc.health_check_path,
        processes=image.processes or {"web": ""}, port=image.port,
        config_snapshot=snapshot, sealed_config=platform.vault.seal(key, sealed, _context(place)),
        status="created" if image.status == "built" else "pending",
    )  # fmt: skip


def thaw(platform: "Platform", place: Place, release: Release) -> dict[str, str]:
    """Return the config values of a release. Never for a response."""
    opened = platform.vault.open(place.org.data_key, release.sealed_config, _context(place))
    return msgspec.json.decode(opened, type=dict[str, str])


def changes(before: Release | None, image: int, snapshot: list[Any]) -> dict[str, Any]:
    """Say what is new since the release before: the image, and config by name."""
    old = {one["name"]: one["fingerprint"] for one in before.config_snapshot} if before else {}
    new = {one["name"]: one["fingerprint"] for one in snapshot}
    return {
        "image": before is None or before.image_version != image,
        "config": {
            "added": sorted(new.keys() - old.keys()),
            "removed": sorted(old.keys() - new.keys()),
            "changed": sorted(n for n in new.keys() & old.keys() if new[n] != old[n]),
        },
    }


def complete(release: Release, image: Image) -> None:
    """Add to a release what only its built image knows; from then on it never changes."""
    release.processes, release.port = image.processes or {"web": ""}, image.port
    release.commit_sha, release.status = image.commit_sha, "created"


def stream_of(release_id: str) -> str:
    """Return the name of a release's log."""
    return f"release:{release_id}"


def _describe(release: Release) -> list[str]:
    changes = release.changes["config"]
    names = ", ".join(f"{word} {', '.join(changes[word])}" for word in changes if changes[word])
    return [
        f"release {release.version}: image {release.image_version}"
        + (f" of commit {release.commit_sha}" if release.commit_sha else ""),
        f"{len(release.config_snapshot)} config variables ({names or 'none changed'})",
    ]


async def release_at(session: AsyncSession, place: Place, version: int) -> Release:
    """Return a service's release. Raises `NotFound`."""
    found: Release | None = await session.scalar(_releases(place).where(Release.version == version))
    if found is None:
        raise NotFound(f"release {version or 'of that version'} not found in {place.path}")
    return found


async def recent(session: AsyncSession, place: Place) -> list[Release]:
    """List the 50 newest releases (seed: "List releases")."""
    return list(await session.scalars(_releases(place).limit(50)))


def _releases(place: Place) -> Any:
    mine = select(Release).where(Release.service_id == place.svc.id)
    return mine.order_by(Release.version.desc())


def _context(place: Place) -> str:
    return f"release/{place.svc.id}"
