"""Where a request is: the organization, project, environment and service of its path.

What the caller is no member of does not exist for them (contract: "Ground rules").
"""

from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Select, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from barque.accounts.keys import Actor
from barque.accounts.models import Membership, Organization
from barque.errors import Forbidden, NotFound
from barque.names import is_id
from barque.projects.models import Environment, Project
from barque.services.models import Service
from barque.settings import Settings
from barque.store.cache import Cache
from barque.store.database import Database

Role = Literal["viewer", "developer", "admin"]

_RANK: dict[str, int] = {"viewer": 1, "developer": 2, "admin": 3}
_SCOPE: dict[str, str] = {"read": "viewer", "deploy": "developer", "admin": "admin"}
_LEVELS = (
    ("project", Project, Project.org_id),
    ("env", Environment, Environment.project_id),
    ("svc", Service, Service.environment_id),
)
TABLES = ("organizations", "memberships", "projects", "environments", "services")


@dataclass(frozen=True, slots=True)
class Place:
    """The rows that a path names, and the caller's role in the organization."""

    org: Any = None
    role: str = ""
    project: Any = None
    env: Any = None
    svc: Any = None

    @property
    def path(self) -> str:
        """The place as people write it: `acme/shop/production/api`."""
        rows = (self.org, self.project, self.env, self.svc)
        return "/".join(row.slug for row in rows if row is not None)


def allow(actor: Actor, place: Place, role: str) -> None:
    """Return if the caller may act as `role` here. Raises `Forbidden`."""
    if _RANK[place.role] < _RANK[role]:
        raise Forbidden(
            f"this needs the role {role} in {place.org.slug}; yours is {place.role}: "
            "ask an admin of the organization"
        )
    if _RANK[_SCOPE[actor.scope]] < _RANK[role]:
        raise Forbidden(f"this needs a key of a wider scope than '{actor.scope}'")


def url_of(settings: Settings, place: Place, slug: str) -> str:
    """Return a service's address (contract: "What a service's container gets")."""
    host = settings.address_of(slug, place.env.slug, place.project.slug, place.org.slug)
    return f"http://{host}:{settings.apps_port}"


def host_of(settings: Settings, place: Place) -> str:
    """Return the name that a service is reached at."""
    return settings.address_of(place.svc.slug, place.env.slug, place.project.slug, place.org.slug)


def may(actor: Actor, place: Place, role: str) -> bool:
    """Tell whether the caller may act as `role` here."""
    try:
        allow(actor, place, role)
    except Forbidden:
        return False
    return True


async def place_of(session: AsyncSession, service_id: str) -> Place:
    """Return the place of a service, for work that no caller's role bounds."""
    service = await session.get_one(Service, service_id)
    env = await session.get_one(Environment, service.environment_id)
    project = await session.get_one(Project, env.project_id)
    org = await session.get_one(Organization, project.org_id)
    return Place(org=org, project=project, env=env, svc=service)


class Places:
    """Finds the rows that a path names."""

    def __init__(self, database: Database, cache: Cache) -> None:
        self._database = database
        self._cache = cache

    async def find(self, actor: Actor, path: dict[str, Any]) -> Place:
        """Resolve a path's slugs or ids. Raises `NotFound`."""
        if any("\0" in value for value in path.values()):
            # Not every database could even be asked for it.
            raise NotFound("there is nothing whose name holds a null character")
        slugs = tuple(path[name] for name in ("org", "project", "env", "svc") if name in path)
        if not slugs:
            return Place()
        return await self._cache.get(
            ("place", actor.user_id, actor.org_id, slugs), TABLES, lambda: self._load(actor, slugs)
        )

    async def _load(self, actor: Actor, slugs: tuple[str, ...]) -> Place:
        async with self._database.read() as session:
            member = (
                select(Organization, Membership.role)
                .join(Membership, Membership.org_id == Organization.id)
                .where(Membership.user_id == actor.user_id, _named(Organization, slugs[0]))
            )
            if actor.org_id is not None:
                member = member.where(Organization.id == actor.org_id)
            row = (await session.execute(member)).first()
            if row is None:
                raise NotFound(f"organization '{slugs[0]}' not found")
            rows: dict[str, Any] = {"org": row[0]}
            parent = row[0]
            for (name, table, owner), slug in zip(_LEVELS, slugs[1:], strict=False):
                wanted: Select[Any] = select(table).where(owner == parent.id, _named(table, slug))
                child = await session.scalar(wanted)
                if child is None:
                    where = "/".join(place.slug for place in rows.values())
                    raise NotFound(f"{_WORDS[name]} '{slug}' not found in {where}")
                rows[name] = parent = child
            return Place(role=row[1], **rows)


_WORDS = {"project": "project", "env": "environment", "svc": "service"}


def _named(table: Any, slug: str) -> Any:
    return or_(table.slug == slug, table.id == slug) if is_id(slug) else table.slug == slug
