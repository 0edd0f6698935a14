"""What GitHub tells: a push builds and deploys (contract: "GitHub")."""

import hashlib
import hmac
from dataclasses import replace

import msgspec
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from barque.bodies import decode
from barque.errors import Forbidden, Invalid, Unauthorized
from barque.github.models import Delivery
from barque.http import Call, Routes, read_body
from barque.projects.models import Environment
from barque.projects.pipeline import PipelineAnswer, begin, build_and_deploy
from barque.services.models import Service
from barque.services.place import place_of

routes = Routes("/integrations/github")

_BRANCH = "refs/heads/"
_NO_COMMIT = "0" * 40


class Repository(msgspec.Struct):
    """The repository of a push."""

    full_name: str


class Pusher(msgspec.Struct):
    """Whoever pushed."""

    name: str = ""


class Push(msgspec.Struct):
    """A push, as far as Barque reads it."""

    ref: str
    after: str
    repository: Repository
    pusher: Pusher = msgspec.field(default_factory=Pusher)


class Started(msgspec.Struct, frozen=True):
    """A service that is built and deployed because of a push."""

    service: str
    image_version: int
    deployment_id: str


class HookAnswer(msgspec.Struct, frozen=True):
    """What came of a delivery: `started`, `ignored`, or `duplicate`."""

    result: str
    started: list[Started]


@routes.endpoint(
    "POST", "/hooks", answer=HookAnswer, status=202, body=Push, public=True, errors=(401, 403, 503)
)
async def github_hook(call: Call) -> HookAnswer:
    """Take a delivery of GitHub's: a push builds and deploys the services that follow it."""
    body = await read_body(call.request)
    _verify(call, body)
    delivery = call.request.headers.get("x-github-delivery", "")
    if not 1 <= len(delivery) <= 64:
        raise Invalid.field("X-GitHub-Delivery", "must be the id of the delivery")
    is_push = call.request.headers.get("x-github-event") == "push"
    push = decode(body, Push) if is_push else None
    begun: list[tuple[str, PipelineAnswer]] = []
    async with call.platform.database.write() as session:
        if await session.get(Delivery, delivery) is not None:
            return HookAnswer("duplicate", [])
        session.add(Delivery(id=delivery))
        if push is not None and push.ref.startswith(_BRANCH) and push.after != _NO_COMMIT:
            begun = await _deploy_all(session, call, push)
    for _, value in begun:
        await begin(call, value)
    rows = [Started(path, one.image_version, one.deployment_id) for path, one in begun]
    return HookAnswer("started" if rows else "ignored", rows)


def _verify(call: Call, body: bytes) -> None:
    secret = call.platform.settings.webhook_secret
    if secret is None:
        raise Forbidden("no webhook secret is set: start Barque with BARQUE_WEBHOOK_SECRET")
    signed = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    said = call.request.headers.get("x-hub-signature-256", "")
    if not hmac.compare_digest(said.encode(), f"sha256={signed}".encode()):
        raise Unauthorized("X-Hub-Signature-256 does not fit: check the webhook's secret")


async def _deploy_all(
    session: AsyncSession, call: Call, push: Push
) -> list[tuple[str, PipelineAnswer]]:
    branch = push.ref.removeprefix(_BRANCH)
    followed = func.coalesce(Service.auto_deploy_branch, Environment.auto_deploy_branch)
    following = (
        select(Service.id)
        .join(Environment, Environment.id == Service.environment_id)
        .where(
            func.lower(Service.github_repository) == push.repository.full_name.lower(),
            followed == branch,
            Service.locked_by.is_(None),
        )
    )
    begun = []
    actor = replace(call.actor, email=f"github:{push.pusher.name}"[:255])
    for service_id in await session.scalars(following.order_by(Service.id)):
        place = await place_of(session, service_id)
        there = replace(call, actor=actor, place=place)
        value = await build_and_deploy(session, there, place, push.after, "push", branch)
        begun.append((place.path, value))
    return begun
