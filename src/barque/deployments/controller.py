"""Endpoints of releases and deployments (seed: "Releases", "Deploy a service")."""

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from barque.audit.log import record
from barque.deployments.models import Deployment
from barque.deployments.rollout import ENDED, KIND, SWITCHED, stream_of
from barque.errors import Conflict, NotFound
from barque.http import Answer, Call, Routes
from barque.pages import Page, PageQuery, paged
from barque.releases.models import Release
from barque.releases.service import freeze, image_to_release, recent, release_at

routes = Routes("/orgs/{org}/projects/{project}/envs/{env}/services/{svc}")


class DeployRequest(msgspec.Struct, forbid_unknown_fields=True):
    """What to deploy: an image's version, or else the newest that is built."""

    image_version: int | None = None


class RollbackRequest(msgspec.Struct, forbid_unknown_fields=True):
    """What to go back to: a release's version, or else the last that was live before."""

    release_version: int | None = None


class DeployAnswer(msgspec.Struct, frozen=True):
    """The release, and its deployment."""

    release_id: str
    release_version: int
    deployment_id: str


class ReleaseImage(msgspec.Struct, frozen=True):
    """The image of a release."""

    id: str
    version: int


class ReleaseView(msgspec.Struct, frozen=True):
    """A release."""

    id: str
    version: int
    image: ReleaseImage
    platform: str
    config_snapshot: list[Any]
    changes: dict[str, Any]
    commit_sha: str | None
    health_check_path: str
    processes: dict[str, str]
    status: str
    created: datetime


class DeploymentView(msgspec.Struct, frozen=True):
    """A deployment, step by step."""

    id: str
    release_id: str
    trigger: str
    actor: str
    status: str
    steps: list[Any]
    error_detail: str | None
    created: datetime
    started: datetime | None
    finished: datetime | None


class LogView(msgspec.Struct, frozen=True):
    """What a deployment said."""

    status: str
    log_text: str


def _release(row: Release) -> ReleaseView:
    names = [name for name in ReleaseView.__struct_fields__ if name != "image"]
    fields: dict[str, Any] = {name: getattr(row, name) for name in names}
    return ReleaseView(**fields, image=ReleaseImage(row.image_id, row.image_version))


def _deployment(row: Deployment) -> DeploymentView:
    return msgspec.convert(row, DeploymentView, from_attributes=True)


async def _enqueue(
    call: Call, session: AsyncSession, release: Release, trigger: str
) -> tuple[Deployment, Answer]:
    if call.place.env.protected:
        call.require("admin")
    deployment = Deployment(
        service_id=call.place.svc.id, release_id=release.id, trigger=trigger,
        actor=call.actor.email, steps=[],
    )  # fmt: skip
    session.add(deployment)
    await session.flush()
    record(session, call, f"service.{trigger}", after={"release": release.version})
    value = DeployAnswer(release.id, release.version, deployment.id)
    return deployment, call.remember(session, value)


@routes.endpoint(
    "POST", "/deploy", answer=DeployAnswer, status=202, role="developer", body=DeployRequest,
    errors=(409,), once=True,
)  # fmt: skip
async def deploy(call: Call) -> Answer:
    """Freeze the newest image with the present config, and roll that release out."""
    body = await call.body(DeployRequest)
    async with call.once() as session:
        image = await image_to_release(session, call.place, body.image_version)
        release = await freeze(session, call.platform, call.place, image)
        deployment, answer = await _enqueue(call, session, release, "deploy")
    await call.platform.pipeline.begin(KIND, deployment.id)
    return answer


@routes.endpoint(
    "POST", "/rollback", answer=DeployAnswer, status=202, role="developer", body=RollbackRequest,
    errors=(409,), once=True,
)  # fmt: skip
async def rollback(call: Call) -> Answer:
    """Roll an earlier release out again, image and config as they were."""
    body = await call.body(RollbackRequest)
    async with call.once() as session:
        if body.release_version is not None:
            release = await release_at(session, call.place, body.release_version)
        else:
            release = await _last_live(session, call)
        deployment, answer = await _enqueue(call, session, release, "rollback")
    await call.platform.pipeline.begin(KIND, deployment.id)
    return answer


async def _last_live(session: AsyncSession, call: Call) -> Release:
    mine = select(Deployment).where(Deployment.service_id == call.place.svc.id)
    newest = mine.order_by(Deployment.id.desc()).limit(1)
    present = await session.scalar(newest.where(Deployment.status.in_(SWITCHED)))
    before = newest.where(Deployment.status == "retired")
    if present is not None:
        before = before.where(Deployment.release_id != present.release_id)
    found = await session.scalar(before)
    if found is None:
        raise Conflict("no earlier release was live: there is nothing to go back to")
    return await session.get_one(Release, found.release_id)


@routes.endpoint("GET", "/releases", answer=list[ReleaseView])
async def list_releases(call: Call) -> list[ReleaseView]:
    """List the 50 newest releases."""
    async with call.platform.database.read() as session:
        return [_release(row) for row in await recent(session, call.place)]


@routes.endpoint("GET", "/releases/{version}", answer=ReleaseView)
async def get_release(call: Call) -> ReleaseView:
    """Show a release."""
    async with call.platform.database.read() as session:
        return _release(await release_at(session, call.place, call.number("version")))


@routes.endpoint("GET", "/deployments", answer=Page[DeploymentView], query=PageQuery)
async def list_deployments(call: Call) -> Page[DeploymentView]:
    """List a service's deployments, newest first."""
    query = call.query(PageQuery)
    mine = select(Deployment).where(Deployment.service_id == call.place.svc.id)
    async with call.platform.database.read() as session:
        rows, pagination = await paged(session, mine.order_by(Deployment.id.desc()), query)
    return Page([_deployment(row) for row in rows], pagination)


async def _at(session: AsyncSession, call: Call) -> Deployment:
    row = await session.get(Deployment, call.path["deployment"])
    if row is None or row.service_id != call.place.svc.id:
        raise NotFound(f"deployment '{call.path['deployment']}' not found in {call.place.path}")
    return row


@routes.endpoint("GET", "/deployments/{deployment}", answer=DeploymentView)
async def get_deployment(call: Call) -> DeploymentView:
    """Show a deployment."""
    async with call.platform.database.read() as session:
        return _deployment(await _at(session, call))


@routes.endpoint("GET", "/deployments/{deployment}/log", answer=LogView)
async def deployment_log(call: Call) -> LogView:
    """Show what a deployment said."""
    async with call.platform.database.read() as session:
        row = await _at(session, call)
    lines = call.platform.logs.read(stream_of(row.id))
    return LogView(row.status, "".join(f"{line.text}\n" for line in lines))


@routes.endpoint(
    "POST", "/deployments/{deployment}/cancel", answer=DeploymentView, status=202,
    role="developer", errors=(409,),
)  # fmt: skip
async def cancel_deployment(call: Call) -> DeploymentView:
    """Cancel a deployment that has not switched yet."""
    async with call.platform.database.write() as session:
        row = await _at(session, call)
        if row.status in (*ENDED, "switching", "draining"):
            raise Conflict(f"the deployment is {row.status}: it can no longer be cancelled")
        row.cancel_requested = True
        record(session, call, "deployment.cancel", f"deployments/{row.id}")
    call.platform.rollouts.cancel(row.id)
    return _deployment(row)
