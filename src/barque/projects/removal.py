"""Removing what holds other things: only when empty, or all of it with `cascade`."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from barque.accounts.models import Organization
from barque.config.models import ConfigVariable
from barque.errors import Conflict
from barque.images.models import Image
from barque.projects.models import Environment, Project
from barque.services.models import Service
from barque.services.place import Place

if TYPE_CHECKING:
    from barque.platform import Platform


class Cascade(msgspec.Struct, frozen=True):
    """Whether the children go too."""

    cascade: bool = False


@dataclass(frozen=True, slots=True)
class Footprint:
    """What a place may have left on the engine and in the router.

    `hosts` maps each service that was ever deployed to its host name; `builds` are the images
    that have not ended.
    """

    hosts: dict[str, str]
    env_ids: set[str]
    builds: set[str]


_CHILDREN: dict[Any, tuple[Any, Any]] = {
    Organization: (Project, Project.org_id),
    Project: (Environment, Environment.project_id),
    Environment: (Service, Service.environment_id),
}


async def remove(session: AsyncSession, parent: Any, cascade: bool = False) -> None:
    """Delete a row with its config, and its children if `cascade`. Raises `Conflict`."""
    for child in await _children(session, parent, cascade):
        await remove(session, child, cascade)
    await session.execute(delete(ConfigVariable).where(ConfigVariable.owner_id == parent.id))
    await session.delete(await session.get_one(type(parent), parent.id))
    await session.flush()


async def _children(session: AsyncSession, parent: Any, cascade: bool) -> list[Any]:
    if type(parent) not in _CHILDREN:
        return []
    table, owner = _CHILDREN[type(parent)]
    children = list(await session.scalars(select(table).where(owner == parent.id)))
    if children and not cascade:
        raise Conflict(
            f"'{parent.slug}' still has {len(children)} {table.__tablename__}: delete them first, "
            "or all at once with ?cascade=true"
        )
    return children


async def footprint(platform: "Platform", place: Place) -> Footprint:
    """Tell what there is to erase once the rows of a place are removed."""
    wanted = (
        select(Environment.id, Environment.slug, Project.slug, Service)
        .join(Project, Project.id == Environment.project_id)
        .outerjoin(Service, Service.environment_id == Environment.id)
        .where(Project.org_id == place.org.id)
    )
    for row, column in (
        (place.project, Project.id), (place.env, Environment.id), (place.svc, Service.id),
    ):  # fmt: skip
        if row is not None:
            wanted = wanted.where(column == row.id)
    async with platform.database.read() as session:
        found = (await session.execute(wanted)).all()
        services = [row[3].id for row in found if row[3] is not None]
        unfinished = select(Image.id).where(Image.status.in_(("queued", "building")))
        builds = set(await session.scalars(unfinished.where(Image.service_id.in_(services))))
    hosts = {
        service.id: platform.settings.address_of(service.slug, env, project, place.org.slug)
        for _, env, project, service in found
        if service is not None and service.last_release_version > 0
    }
    return Footprint(hosts, {row[0] for row in found}, builds)
