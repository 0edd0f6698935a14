"""Where each service of a project stands, in a few queries however many there are."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta
from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from barque.deployments.journal import SWITCHED
from barque.deployments.models import Deployment
from barque.http import Answer, Call, Routes
from barque.images.build import Builds
from barque.images.models import Image
from barque.projects.models import Environment
from barque.projects.selection import PipelineQuery, chosen, of_project
from barque.projects.states import states_by
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
async def status(call: Call) -> Answer:
    """Show where each service of the project stands."""
    query = call.query(StatusQuery)
    await chosen(call, query)

    async def load() -> bytes:
        async with call.platform.database.read() as session:
            rows = _page(_asked(select(Service, Environment.slug), call, query), query)
            services = await _services(session, rows, call.platform.builds)
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


async def _services(session: AsyncSession, rows: Any, turns: Builds) -> list[ServiceStatus]:
    mine = select(rows.with_only_columns(Service.id).subquery().c.id)
    images = await _newest(session, Image, LatestVersion, mine)
    releases = await _newest(session, Release, LatestVersion, mine)
    deployments = await _newest(session, Deployment, LatestDeployment, mine)
    live = await _live(session, mine)
    builds, rollouts = await _queued(session, Image, mine), await _queued(session, Deployment, mine)
    queue = await turns.positions(session) if builds else {}
    return [
        ServiceStatus(
            env, one.slug, one.name, one.process_counts, one.locked_by, live.get(one.id),
            images.get(one.id), releases.get(one.id), deployments.get(one.id),
            len(builds.get(one.id, ())), len(rollouts.get(one.id, ())),
            min((queue[build] for build in builds.get(one.id, ()) if build in queue), default=None),
        )
        for one, env in await session.execute(rows)
    ]  # fmt: skip


async def _newest(
    session: AsyncSession, table: Any, shape: Any, mine: Select[Any]
) -> dict[str, Any]:
    """Read the newest row of each service: ids sort by age."""
    newest = select(func.max(table.id)).where(table.service_id.in_(mine)).group_by(table.service_id)
    columns = [getattr(table, name) for name in shape.__struct_fields__]
    found = await session.execute(select(table.service_id, *columns).where(table.id.in_(newest)))
    return {service: shape(*fields) for service, *fields in found}


async def _live(session: AsyncSession, mine: Select[Any]) -> dict[str, int]:
    serving = (
        select(Deployment.service_id, Release.version)
        .join(Release, Release.id == Deployment.release_id)
        .where(Deployment.service_id.in_(mine), Deployment.status.in_(SWITCHED))
    )
    return dict((await session.execute(serving)).tuples().all())


async def _queued(session: AsyncSession, table: Any, mine: Select[Any]) -> dict[str, list[str]]:
    """List what waits of each service that has anything waiting."""
    waiting = select(table.service_id, table.id).where(
        table.service_id.in_(mine), table.status == "queued"
    )
    found: dict[str, list[str]] = {}
    for service, one in await session.execute(waiting):
        found.setdefault(service, []).append(one)
    return found


async def _environments(
    session: AsyncSession, call: Call, query: StatusQuery
) -> list[EnvironmentStatus]:
    found = await states_by(session, Environment.slug, lambda rows: _asked(rows, call, query))
    return [EnvironmentStatus(env, sum(states.values()), states) for env, states in found.items()]
