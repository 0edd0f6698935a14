"""Promotion: the very image that is live in one environment, deployed in another."""

from typing import Annotated

import msgspec
from msgspec import Meta
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from barque.config.resolution import Variable
from barque.deployments.rollout import KIND
from barque.deployments.service import enqueue, live_deployment, live_release
from barque.errors import Invalid
from barque.http import Answer, Call, Routes
from barque.images.models import Image
from barque.images.service import next_version, still_there
from barque.releases.models import Release
from barque.releases.service import freeze
from barque.services.place import Place, allow
from barque.store.tables import now

routes = Routes("/orgs/{org}/projects/{project}/promote")

Slug = Annotated[str, Meta(min_length=1, max_length=63)]


class Promotion(msgspec.Struct, forbid_unknown_fields=True):
    """Which service, from which environment, to which."""

    service: Slug
    source_env: Slug
    target_env: Slug


class PromotionQuery(msgspec.Struct, frozen=True):
    """Which service, from which environment, to which."""

    service: Slug
    source_env: Slug
    target_env: Slug


class PromotionAnswer(msgspec.Struct, frozen=True):
    """The image as the target numbers it, its release there, and the deployment of that."""

    image_version: int
    release_id: str
    release_version: int
    deployment_id: str


class Side(msgspec.Struct, frozen=True):
    """What is live in an environment, if anything is."""

    env: str
    image_version: int | None
    image_digest: str | None
    release_version: int | None
    commit_sha: str | None


class ConfigDiff(msgspec.Struct, frozen=True):
    """Names of config variables, by where they are set, and whether to the same value."""

    only_in_source: list[str]
    only_in_target: list[str]
    different: list[str]
    same: list[str]


class Preview(msgspec.Struct, frozen=True):
    """What a promotion would change."""

    service: str
    source: Side
    target: Side
    same_image: bool
    config: ConfigDiff


async def _places(call: Call, wanted: Promotion | PromotionQuery) -> tuple[Place, Place]:
    if wanted.source_env == wanted.target_env:
        raise Invalid.field("target_env", "must be another environment than source_env")
    path = {**call.path, "svc": wanted.service}
    find = call.platform.places.find
    source = await find(call.actor, {**path, "env": wanted.source_env})
    return source, await find(call.actor, {**path, "env": wanted.target_env})


@routes.endpoint("GET", "/preview", answer=Preview, query=PromotionQuery)
async def preview_promotion(call: Call) -> Preview:
    """Show what a promotion would change: the image, and the config by name."""
    query = call.query(PromotionQuery)
    source, target = await _places(call, query)
    async with call.platform.database.read() as session:
        here, there = await _side(session, source), await _side(session, target)
        config = call.platform.config
        diff = _diff(await config.opened(session, source), await config.opened(session, target))
    same = here.image_digest is not None and here.image_digest == there.image_digest
    return Preview(query.service, here, there, same, diff)


async def _side(session: AsyncSession, place: Place) -> Side:
    live = await live_deployment(session, place.svc.id)
    if live is None:
        return Side(place.env.slug, None, None, None, None)
    release = await session.get_one(Release, live.release_id)
    image = await session.get_one(Image, release.image_id)
    return Side(
        place.env.slug, image.version, image.image_digest, release.version, release.commit_sha
    )


def _diff(source: list[Variable], target: list[Variable]) -> ConfigDiff:
    here, there = ({one.name: one.value for one in side} for side in (source, target))
    both = sorted(here.keys() & there.keys())
    return ConfigDiff(
        sorted(here.keys() - there.keys()), sorted(there.keys() - here.keys()),
        [name for name in both if here[name] != there[name]],
        [name for name in both if here[name] == there[name]],
    )  # fmt: skip


@routes.endpoint(
    "POST", answer=PromotionAnswer, status=202, role="developer", body=Promotion, errors=(409,),
    once=True,
)  # fmt: skip
async def promote_service(call: Call) -> Answer:
    """Deploy the image that is live in the source, with the target's own config."""
    body = await call.body(Promotion)
    source, target = await _places(call, body)
    allow(call.actor, target, "developer")
    async with call.once() as session:
        image = await _adopted(session, await live_release(session, source), target)
        release = await freeze(session, call.platform, target, image)
        deployment = await enqueue(session, call, target, release, "promote")
        value = PromotionAnswer(image.version, release.id, release.version, deployment.id)
        answer = call.remember(session, value)
    await call.platform.pipeline.begin(KIND, value.deployment_id)
    return answer


async def _adopted(session: AsyncSession, release: Release, target: Place) -> Image:
    """Give the target the image under a number of its own, unless it has it already."""
    image = await session.get_one(Image, release.image_id)
    known = await session.scalar(
        select(Image).where(
            Image.service_id == target.svc.id, Image.image_digest == image.image_digest,
            Image.status == "built", Image.pruned.is_(None),
        ).order_by(Image.version.desc()).limit(1)
    )  # fmt: skip
    if known is not None:
        return await still_there(session, known.id)
    kept = ("source", "ref", "reference", "image_reference", "commit_sha", "dockerfile", "procfile",
            "plan", "processes", "port", "image_digest", "size_bytes")  # fmt: skip
    row = Image(
        service_id=target.svc.id, version=await next_version(session, target.svc.id),
        status="built", started=now(), finished=now(),
        **{name: getattr(image, name) for name in kept},
    )  # fmt: skip
    session.add(row)
    await session.flush()
    return row
