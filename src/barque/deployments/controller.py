"""Endpoints of deployments (seed: "Deploy a service")."""

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from barque.audit.log import record
from barque.deployments.journal import ENDED, stream_of
from barque.deployments.models import Deployment
from barque.deployments.rollout import KIND
from barque.deployments.service import enqueue, last_live, live_release
from barque.errors import Conflict, NotFound
from barque.fields import Moment, Number
from barque.http import Answer, Call, Routes
from barque.images.service import still_there
from barque.pages import Page, PageQuery, paged
from barque.releases.models import Release
from barque.releases.service import freeze, image_to_release, release_at
from barque.store.ending import ending

routes = Routes("/orgs/{org}/projects/{project}/envs/{env}/services/{svc}")


class DeployRequest(msgspec.Struct, forbid_unknown_fields=True):
    """What to deploy: an image's version, or else the newest that is built."""

    image_version: Number | None = None


class RollbackRequest(msgspec.Struct, forbid_unknown_fields=True):
    """What to go back to: a release's version, or else the last that was live before."""

    release_version: Number | None = None


class Nothing(msgspec.Struct, forbid_unknown_fields=True):
    """A body without fields."""


class DeployAnswer(msgspec.Struct, frozen=True):
    """The release, and its deployment."""

    release_id: str
    release_version: int
    deployment_id: str


class StepView(msgspec.Struct, frozen=True):
    """One step of a deployment."""

    name: str
    started: Moment
    finished: Moment | None
    message: str


class DeploymentView(msgspec.Struct, frozen=True):
    """A deployment, step by step."""

    id: str
    release_id: str
    release_version: int
    trigger: str
    actor: str
    status: str
    steps: list[StepView]
    error_detail: str | None
    created: Moment
    started: Moment | None
    finished: Moment | None


class DeploymentLog(msgspec.Struct, frozen=True):
    """What a deployment said."""

    status: str
    log_text: str


def _deployment(row: Deployment) -> DeploymentView:
    return msgspec.convert(row, DeploymentView, from_attributes=True)


async def _roll_out(call: Call, session: AsyncSession, release: Release, trigger: str) -> Answer:
    deployment = await enqueue(session, call, call.place, release, trigger)
    value = DeployAnswer(release.id, release.version, deployment.id)
    return call.remember(session, value)


async def _begin(call: Call, answer: Answer) -> Answer:
    await call.platform.pipeline.begin(KIND, answer.value.deployment_id)
    return answer


@routes.endpoint(
    "POST", "/deploy", answer=DeployAnswer, status=202, role="developer", body=DeployRequest,
    errors=(409,), once=True,
)  # fmt: skip
async def deploy_service(call: Call) -> Answer:
    """Freeze the newest image with the present config, and roll that release out."""
    body = await call.body(DeployRequest)
    async with call.once() as session:
        image = await image_to_release(session, call.place, body.image_version)
        release = await freeze(session, call.platform, call.place, image)
        answer = await _roll_out(call, session, release, "deploy")
    return await _begin(call, answer)


@routes.endpoint(
    "POST", "/rollback", answer=DeployAnswer, status=202, role="developer", body=RollbackRequest,
    errors=(409,), once=True,
)  # fmt: skip
async def rollback_service(call: Call) -> Answer:
    """Roll an earlier release out again, image and config as they were."""
    body = await call.body(RollbackRequest)
    async with call.once() as session:
        if body.release_version is not None:
            release = await release_at(session, call.place, body.release_version)
            if release.status == "pending":
                raise Conflict(f"release {release.version} waits for its image: roll back later")
        else:
            release = await last_live(session, call.place)
        await still_there(session, release.image_id)
        answer = await _roll_out(call, session, release, "rollback")
    return await _begin(call, answer)


@routes.endpoint(
    "POST", "/restart", answer=DeployAnswer, status=202, role="developer", body=Nothing,
    errors=(409,), once=True,
)  # fmt: skip
async def restart_service(call: Call) -> Answer:
    """Replace every instance of the live release by a new one, without a dropped request."""
    await call.body(Nothing)
    async with call.once() as session:
        release = await live_release(session, call.place)
        answer = await _roll_out(call, session, release, "restart")
    return await _begin(call, answer)


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


@routes.endpoint(
    "GET", "/deployments/{deployment}/log", answer=DeploymentLog, events=True, errors=(503,)
)
async def get_deployment_log(call: Call) -> DeploymentLog | Answer:
    """Show what a deployment said; as an event stream, follow it, after `Last-Event-ID`."""
    platform = call.platform
    async with platform.database.read() as session:
        row = await _at(session, call)
    if not call.wants_events:
        text, _ = await platform.logs.text(stream_of(row.id))
        return DeploymentLog(row.status, text)
    ended = ending(platform.database, Deployment, row.id, ENDED)
    return Answer(events=platform.logs.follow(stream_of(row.id), call.last_event(), ended))


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
