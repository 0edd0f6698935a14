"""The pipeline of a project: build, release and deploy in one, and how all of that goes."""

from dataclasses import replace
from datetime import timedelta
from statistics import median, quantiles
from typing import Any

import msgspec
from sqlalchemy import func, literal, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from barque.audit.log import record
from barque.deployments.models import Deployment
from barque.deployments.rollout import KIND as DEPLOY
from barque.deployments.service import enqueue
from barque.fields import Moment
from barque.http import Answer, Call, Routes
from barque.images.controller import Ref
from barque.images.models import Image
from barque.images.service import asked_for
from barque.images.service import enqueue as enqueue_build
from barque.pages import Page, PageQuery, counted
from barque.projects.models import Environment
from barque.projects.selection import PipelineQuery, chosen, of_project
from barque.releases.models import Release
from barque.releases.service import freeze
from barque.services.models import Service
from barque.services.place import Place, allow
from barque.store.durations import seconds_between
from barque.store.tables import now

routes = Routes("/orgs/{org}/projects/{project}/pipeline")

WINDOW = timedelta(days=30)


class PipelineRequest(msgspec.Struct, forbid_unknown_fields=True):
    """What to build and deploy: a service of an environment, at a branch, tag or commit."""

    service: str
    env: str
    ref: Ref | None = None


class PipelineAnswer(msgspec.Struct, frozen=True):
    """The image that is built, the release that it becomes, and the deployment of that."""

    image_id: str
    image_version: int
    release_id: str
    release_version: int
    deployment_id: str


class HistoryQuery(PageQuery, frozen=True):
    """Which page, of which service and environment."""

    service: str | None = None
    env: str | None = None


class Figures(msgspec.Struct, frozen=True):
    """Of what ended: counts, the rate of success (0 to 1), and times in seconds of successes."""

    total: int
    succeeded: int
    failed: int
    success_rate: float | None
    median_seconds: float | None
    p95_seconds: float | None


class PipelineMetrics(msgspec.Struct, frozen=True):
    """The figures of the last `window_days`."""

    window_days: int
    builds: Figures
    deployments: Figures


class PipelineEvent(msgspec.Struct, frozen=True):
    """A build or a deployment: `version` is the image's or the release's."""

    kind: str
    id: str
    env: str
    service: str
    version: int
    status: str
    trigger: str | None
    actor: str | None
    error_detail: str | None
    created: Moment
    started: Moment | None
    finished: Moment | None


@routes.endpoint("GET", "/metrics", answer=PipelineMetrics, query=PipelineQuery)
async def get_pipeline_metrics(call: Call) -> PipelineMetrics:
    """Show how builds and deployments of the last 30 days went."""
    query = call.query(PipelineQuery)
    await chosen(call, query)
    async with call.platform.database.read() as session:
        figures = [
            _figures(await _ended(session, call.place, query, table, good), good)
            for table, good in ((Image, ("built",)), (Deployment, ("live", "retired")))
        ]
    return PipelineMetrics(WINDOW.days, *figures)


async def _ended(
    session: AsyncSession, place: Place, query: PipelineQuery, table: Any, good: tuple[str, ...]
) -> list[Any]:
    rows = select(table.status, seconds_between(table.started, table.finished))
    rows = of_project(rows.join(Service, Service.id == table.service_id), place, query)
    bad = "error" if table is Image else "failed"
    rows = rows.where(table.status.in_([*good, bad]), table.created >= now() - WINDOW)
    return list((await session.execute(rows)).all())


def _figures(rows: list[Any], good: tuple[str, ...]) -> Figures:
    times = [seconds for status, seconds in rows if status in good and seconds is not None]
    succeeded = sum(status in good for status, _ in rows)
    slow = quantiles(times, n=20, method="inclusive")[-1] if len(times) > 1 else None
    return Figures(
        len(rows), succeeded, len(rows) - succeeded, succeeded / len(rows) if rows else None,
        median(times) if times else None, slow if slow is not None else (times or [None])[0],
    )  # fmt: skip


_WHERE = (Environment.slug.label("env"), Service.slug.label("service"))
_BUILDS = (
    select(
        literal("build").label("kind"), Image.id, *_WHERE, Image.version, Image.status,
        literal(None).label("trigger"), literal(None).label("actor"), Image.error_detail,
        Image.created, Image.started, Image.finished,
    )
    .join(Service, Service.id == Image.service_id)
    .join(Environment, Environment.id == Service.environment_id)
)  # fmt: skip
_DEPLOYMENTS = (
    select(
        literal("deployment").label("kind"), Deployment.id, *_WHERE, Release.version,
        Deployment.status, Deployment.trigger, Deployment.actor, Deployment.error_detail,
        Deployment.created, Deployment.started, Deployment.finished,
    )
    .join(Service, Service.id == Deployment.service_id)
    .join(Environment, Environment.id == Service.environment_id)
    .join(Release, Release.id == Deployment.release_id)
)  # fmt: skip


@routes.endpoint("GET", "/history", answer=Page[PipelineEvent], query=HistoryQuery)
async def list_pipeline_history(call: Call) -> Page[PipelineEvent]:
    """List builds and deployments of the project, newest first."""
    query = call.query(HistoryQuery)
    await chosen(call, query)
    upto, counts, kinds = query.page * query.per_page, [], []
    async with call.platform.database.read() as session:
        for table, rows in ((Image, _BUILDS), (Deployment, _DEPLOYMENTS)):
            mine = select(table.id).join(Service, Service.id == table.service_id)
            ids = of_project(mine, call.place, query)
            counts.append(await session.scalar(ids.with_only_columns(func.count())) or 0)
            # Of each kind no more than can be on this page, so that few rows are read and sorted.
            newest = select(ids.order_by(table.id.desc()).limit(upto).subquery().c.id)
            kinds.append(rows.where(table.id.in_(newest)))
        both = union_all(*kinds).subquery()
        page = select(both).order_by(both.c.id.desc()).limit(query.per_page)
        found = list(await session.execute(page.offset(upto - query.per_page)))
    events = [msgspec.convert(dict(row._mapping), PipelineEvent) for row in found]
    return Page(events, counted(query, sum(counts)))


@routes.endpoint(
    "POST", "/deploy", answer=PipelineAnswer, status=202, role="developer", body=PipelineRequest,
    errors=(409,), once=True,
)  # fmt: skip
async def run_pipeline(call: Call) -> Answer:
    """Build a service, release the image, and deploy that."""
    body = await call.body(PipelineRequest)
    place = await call.platform.places.find(
        call.actor, {**call.path, "env": body.env, "svc": body.service}
    )
    allow(call.actor, place, "developer")
    async with call.once() as session:
        value = await build_and_deploy(session, call, place, body.ref, "pipeline")
        answer = call.remember(session, value)
    await begin(call, value)
    return answer


async def build_and_deploy(
    session: AsyncSession, call: Call, place: Place, ref: str | None, trigger: str,
    pushed_branch: str | None = None,
) -> PipelineAnswer:  # fmt: skip
    """Queue a build, the release that it becomes, and its deployment. Raises `Conflict`.

    With a `pushed_branch`, builds that earlier pushes to it asked for and that are queued still
    are superseded.
    """
    image = await enqueue_build(session, call.platform, place, ref, pushed_branch)
    there = replace(call, place=place)
    record(session, there, "image.build", f"images/{image.version}", after=asked_for(image))
    return await release_and_deploy(session, call, place, image, trigger)


async def release_and_deploy(
    session: AsyncSession, call: Call, place: Place, image: Image, trigger: str
) -> PipelineAnswer:
    """Queue the release that an image becomes, and its deployment. Raises `Conflict`."""
    release = await freeze(session, call.platform, place, image)
    deployment = await enqueue(session, call, place, release, trigger)
    return PipelineAnswer(image.id, image.version, release.id, release.version, deployment.id)


async def begin(call: Call, value: PipelineAnswer) -> None:
    """Begin what `build_and_deploy` queued, once its transaction is over."""
    async with call.platform.database.read() as session:
        image = await session.get_one(Image, value.image_id)
    await call.platform.builds.begin(image)
    await call.platform.pipeline.begin(DEPLOY, value.deployment_id)
