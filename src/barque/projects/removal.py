"""Removing what holds other things: only when empty, or all of it with `cascade`."""

from typing import Any

import msgspec
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from barque.accounts.models import Organization
from barque.config.models import ConfigVariable
from barque.errors import Conflict
from barque.projects.models import Environment, Project
from barque.services.models import Service


class Cascade(msgspec.Struct, frozen=True):
    """Whether the children go too."""

    cascade: bool = False


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
