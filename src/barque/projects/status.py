"""Where each service of a project stands, in a few queries however many there are."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Bundle, aliased

from barque.deployments.journal import SWITCHED
from barque.deployments.models import Deployment
from barque.http import Answer, Call, Routes
from barque.images.build import Builds
from barque.images.models import Image
from barque.projects.models import Environment
from barque.projects.selection import PipelineQuery, chosen, of_project
from barque.projects.states import newest, states_by
from barque.releases.models import Release
from barque.services.latest import TABLES as LATEST
from barque.services.latest import LatestDeployment, LatestVersion
from barque.services.models import Service
from barque.services.place import TABLES as PLACES

routes = Routes("/orgs/{org}/projects/{project}/pipeline")


class StatusQuery(PipelineQuery, frozen=True):
    """Of which service and environment; whose name or slug holds `search`; which page of them.

    Page 0 is all of them at once.
    """

    search: Annotated[str, Meta(min_length=1, max_length=255)] | None = None
    page: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    per_page: Annotated[int, Meta(ge=1, le=100)] = 50


class ServiceStatus(msgspec.Struct, frozen=True):
    """Where a service stands: what serves, the newest of each stage, and what waits.

    `queue_position` says which turn at building will be its own, counted from 1.
    """

    env: str
    service: str
    name: str
    process_counts: dict[str, int]
    locked_by: str | None
    live_release: int | None
    latest_image: LatestVersion | None
    latest_release: LatestVersion | None
    latest_deployment: LatestDeployment | None
    queued_builds: int
    queued_deployments: int
    queue_position: int | None


class EnvironmentStatus(msgspec.Struct, frozen=True):
    """How many services an environment has, by the status of their newest deployment.

    Those that were never deployed are counted as `new`.
    """

    env: str
    services: int
    states: dict[str, int]


class PipelineStatus(msgspec.Struct, frozen=True):
    """Where each service of a project stands, and a summary of those asked about."""

    services: list[ServiceStatus]
    environments: list[EnvironmentStatus]


@routes.endpoint("GET", "/status", answer=PipelineStatus, query=StatusQuery)
async def get_pipeline_status(call: Call) -> Answer:
    """Show where each service of the project stands."""
    query = call.query(StatusQuery)
    await chosen(call, query)

    async def load() -> bytes:
        async with call.platform.database.read() as session:
            page = _page(_asked(select(Service.id), call, query), query)
            services = await _services(session, page, call.platform.builds)
            return msgspec.json.encode(
                PipelineStatus(services, await _environments(session, call, query))
            )

    key = ("status", call.place.project.id, query)
    return Answer(raw=await call.platform.cache.get(key, (*PLACES, *LATEST), load))


def _asked(rows: Any, call: Call, query: StatusQuery) -> Any:
    rows = of_project(rows, call.place, query)
    if query.search is not None:
        wanted = query.search.lower()
        rows = rows.where(
            func.lower(Service.name).contains(wanted, autoescape=True)
            | Service.slug.contains(wanted, autoescape=True)
        )
    return rows


def _page(rows: Any, query: StatusQuery) -> Any:
    rows = rows.order_by(Environment.slug, Service.slug)
    if query.page:
        rows = rows.limit(query.per_page).offset((query.page - 1) * query.per_page)
    return rows


_STAGES: tuple[tuple[str, Any, Any], ...] = (
    ("image", Image, LatestVersion), ("release", Release, LatestVersion),
    ("deployment", Deployment, LatestDeployment),
)  # fmt: skip


def _live() -> Any:
    serving, release = aliased(Deployment), aliased(Release)
    of_it = serving.service_id == Service.id, serving.status.in_(SWITCHED)
    rows = select(release.version).join(serving, serving.release_id == release.id).where(*of_it)
    return rows.order_by(serving.id.desc()).limit(1).scalar_subquery()


def _queued(table: Any) -> Any:
    one = aliased(table)
    mine = one.service_id == Service.id, one.status == "queued"
    return select(func.count(one.id)).where(*mine).scalar_subquery()


def _standing() -> Any:
    """Ask at once for what is newest, what serves and what waits of each service."""
    rows: Any = select(
        Service.id, Environment.slug.label("env"), Service.slug, Service.name,
        Service.process_counts, Service.locked_by, _live().label("live"),
        _queued(Image).label("builds"), _queued(Deployment).label("deployments"),
        *(Bundle(name, *(getattr(table, field) for field in shape.__struct_fields__))
          for name, table, shape in _STAGES),
    )  # fmt: skip
    rows = rows.join(Environment, Environment.id == Service.environment_id)
    for _, table, _ in _STAGES:
        rows = rows.outerjoin(table, table.id == newest(table))
    return rows.order_by(Environment.slug, Service.slug)


# Made once: to put it together takes longer than to carry it out.
_STANDING = _standing()


async def _services(session: AsyncSession, page: Any, turns: Builds) -> list[ServiceStatus]:
    mine = select(page.subquery().c.id)
    found = (await session.execute(_STANDING.where(Service.id.in_(mine)))).all()
    waiting = [row.id for row in found if row.builds]
    positions = await _positions(session, waiting, turns) if waiting else {}
    return [_status(row, positions.get(row.id)) for row in found]


def _status(row: Any, position: int | None) -> ServiceStatus:
    image, release, deployment = (
        shape(*getattr(row, name)) if getattr(row, name)[0] else None for name, _, shape in _STAGES
    )
    return ServiceStatus(
        row.env, row.slug, row.name, row.process_counts, row.locked_by, row.live, image, release,
        deployment, row.builds, row.deployments, position,
    )  # fmt: skip


async def _positions(
    session: AsyncSession, services: list[str], turns: Builds
) -> dict[str, int | None]:
    """Say which turn at building is the first of each service."""
    mine = Image.service_id.in_(services), Image.status == "queued"
    first: dict[str, int | None] = {}
    queue = await turns.positions(session)
    for service, build in await session.execute(select(Image.service_id, Image.id).where(*mine)):
        if build in queue:
            first[service] = min(queue[build], first.get(service) or queue[build])
    return first


async def _environments(
    session: AsyncSession, call: Call, query: StatusQuery
) -> list[EnvironmentStatus]:
    found = await states_by(session, Environment.slug, lambda rows: _asked(rows, call, query))
    return [EnvironmentStatus(env, sum(states.values()), states) for env, states in found.items()]
