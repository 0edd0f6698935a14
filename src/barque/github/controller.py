"""What GitHub tells (contract: "GitHub"), and the pull requests that are known from it."""

import hashlib
import hmac

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from barque.bodies import decode
from barque.errors import Forbidden, Invalid, Unauthorized
from barque.github.models import Delivery, Preview
from barque.github.previews import Removed
from barque.github.pushes import Begun, follow_push
from barque.github.schemas import (
    HookAnswer,
    PreviewView,
    PullRequestEvent,
    Push,
    Skipped,
    Started,
)
from barque.http import Call, Routes, read_body
from barque.projects.models import Environment
from barque.projects.pipeline import begin

routes = Routes()

_EVENTS: dict[str, type[Push | PullRequestEvent]] = {"push": Push, "pull_request": PullRequestEvent}


@routes.endpoint(
    "POST", "/integrations/github/hooks", answer=HookAnswer, status=202, body=Push, public=True,
    errors=(401, 403, 503),
)  # fmt: skip
async def receive_github_hook(call: Call) -> HookAnswer:
    """Take a delivery of GitHub's: a push deploys, a pull request gets an environment."""
    body = await read_body(call.request)
    _verify(call, body)
    delivery = call.request.headers.get("x-github-delivery", "")
    if not 1 <= len(delivery) <= 64:
        raise Invalid.field("X-GitHub-Delivery", "must be the id of the delivery")
    kind = _EVENTS.get(call.request.headers.get("x-github-event", ""))
    event = decode(body, kind) if kind is not None else None
    begun: list[Begun] = []
    skipped: list[Skipped] = []
    removed: list[Removed] = []
    async with call.platform.database.write() as session:
        if not await _is_new(session, delivery):
            return HookAnswer("duplicate")
        if isinstance(event, Push):
            begun, skipped = await follow_push(session, call, event)
        elif isinstance(event, PullRequestEvent):
            begun, skipped, removed = await call.platform.previews.follow(session, call, event)
    call.platform.previews.erase(removed)
    for _, value in begun:
        await begin(call, value)
    return _answer(begun, skipped, removed)


def _verify(call: Call, body: bytes) -> None:
    secret = call.platform.settings.webhook_secret
    if secret is None:
        raise Forbidden("no webhook secret is set: start Barque with BARQUE_WEBHOOK_SECRET")
    signed = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    said = call.request.headers.get("x-hub-signature-256", "")
    if not hmac.compare_digest(said.encode(), f"sha256={signed}".encode()):
        raise Unauthorized("X-Hub-Signature-256 does not fit: check the webhook's secret")


async def _is_new(session: AsyncSession, delivery: str) -> bool:
    """Note a delivery. Returns whether it was not seen before, nor is seen at this moment."""
    if await session.get(Delivery, delivery) is not None:
        return False
    try:
        async with session.begin_nested():
            session.add(Delivery(id=delivery))
    except IntegrityError:
        return False
    return True


def _answer(begun: list[Begun], skipped: list[Skipped], removed: list[Removed]) -> HookAnswer:
    rows = [Started(path, one.image_version, one.deployment_id) for path, one in begun]
    result = "started" if rows else "removed" if removed else "ignored"
    return HookAnswer(result, rows, skipped, [one.path for one in removed])


@routes.endpoint("GET", "/orgs/{org}/projects/{project}/previews", answer=list[PreviewView])
async def list_previews(call: Call) -> list[PreviewView]:
    """List the open pull requests of a project that were given an environment."""
    rows = (
        select(Preview, Environment.slug)
        .outerjoin(Environment, Environment.id == Preview.environment_id)
        .where(Preview.project_id == call.place.project.id, Preview.open.is_(True))
        .order_by(Preview.repository, Preview.number)
    )
    async with call.platform.database.read() as session:
        return [
            PreviewView(one.repository, one.number, one.head_ref, one.head_sha, env)
            for one, env in await session.execute(rows)
        ]
