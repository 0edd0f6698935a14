"""Endpoints of images (seed: "Images")."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta
from sqlalchemy.ext.asyncio import AsyncSession

from barque.audit.log import record
from barque.errors import Conflict
from barque.fields import Moment
from barque.http import Answer, Call, Routes
from barque.images.models import Image
from barque.images.service import (
    ENDED,
    asked_for,
    enqueue,
    image_at,
    newest_first,
    stream_of,
)
from barque.pages import Page, PageQuery, paged
from barque.store.ending import ending

routes = Routes("/orgs/{org}/projects/{project}/envs/{env}/services/{svc}/images")


Ref = Annotated[str, Meta(min_length=1, max_length=255)]


class BuildRequest(msgspec.Struct, forbid_unknown_fields=True):
    """What to build: a branch, a tag or a commit."""

    ref: Ref | None = None


class BuildAnswer(msgspec.Struct, frozen=True):
    """The image that was enqueued."""

    image_id: str
    version: int


class ImageView(msgspec.Struct, frozen=True):
    """An image. `plan` says how it was built, where the repository has no Dockerfile.

    `source` is what it was built from: `repository`, `upload` or `push`. An `image_reference` is
    what it was made from, where that was an image already, and `port` what `PORT` will be, where
    that image says so. While it is queued, `queue_position` says which turn will be its own,
    counted from 1. `pruned` says since when the service has it no more, but for its row.
    """

    id: str
    version: int
    status: str
    source: str
    ref: str | None
    image_reference: str | None
    commit_sha: str | None
    dockerfile: str | None
    plan: dict[str, Any] | None
    procfile: str | None
    processes: dict[str, str] | None
    port: int | None
    image_digest: str | None
    size_bytes: int | None
    error_detail: str | None
    created: Moment
    started: Moment | None
    finished: Moment | None
    pruned: Moment | None
    queue_position: int | None = None


class LogView(msgspec.Struct, frozen=True):
    """A build log."""

    status: str
    version: int
    log_text: str
    truncated: bool


def _view(row: Image) -> ImageView:
    return msgspec.convert(row, ImageView, from_attributes=True)


async def _views(session: AsyncSession, call: Call, rows: list[Image]) -> list[ImageView]:
    """Show images with their places in the queue, which are looked up only if one is in there."""
    if not any(row.status == "queued" for row in rows):
        return [_view(row) for row in rows]
    places = await call.platform.builds.positions(session)
    return [msgspec.structs.replace(_view(row), queue_position=places.get(row.id)) for row in rows]


@routes.endpoint("GET", answer=Page[ImageView], query=PageQuery)
async def list_images(call: Call) -> Page[ImageView]:
    """List a service's images, newest first."""
    query = call.query(PageQuery)
    async with call.platform.database.read() as session:
        rows, pagination = await paged(session, newest_first(call.place), query)
        return Page(await _views(session, call, rows), pagination)


@routes.endpoint(
    "POST", "/build", answer=BuildAnswer, status=202, role="developer", body=BuildRequest,
    errors=(409,), once=True,
)  # fmt: skip
async def build_image(call: Call) -> Answer:
    """Enqueue a build."""
    body = await call.body(BuildRequest)
    async with call.once() as session:
        image = await enqueue(session, call.platform, call.place, body.ref)
        record(session, call, "image.build", f"images/{image.version}", after=asked_for(image))
        answer = call.remember(session, BuildAnswer(image.id, image.version))
    await call.platform.builds.begin(image)
    return answer


@routes.endpoint("GET", "/{version}", answer=ImageView)
async def get_image(call: Call) -> ImageView:
    """Show an image."""
    async with call.platform.database.read() as session:
        row = await image_at(session, call.place, call.number("version"))
        return (await _views(session, call, [row]))[0]


@routes.endpoint(
    "POST", "/{version}/cancel", answer=ImageView, status=202, role="developer", errors=(409,)
)
async def cancel_image(call: Call) -> ImageView:
    """Cancel a build."""
    async with call.platform.database.write() as session:
        image = await image_at(session, call.place, call.number("version"))
        if image.status in ENDED:
            raise Conflict(f"image {image.version} has ended already: it is {image.status}")
        image.cancel_requested = True
        record(session, call, "image.cancel", f"images/{image.version}")
    call.platform.builds.cancel(image.id)
    return _view(image)


@routes.endpoint("GET", "/{version}/log", answer=LogView, events=True, errors=(503,))
async def get_image_log(call: Call) -> LogView | Answer:
    """Show a build log; as an event stream, follow it, after `Last-Event-ID`."""
    platform = call.platform
    async with platform.database.read() as session:
        image = await image_at(session, call.place, call.number("version"))
    stream = stream_of(image.id)
    if not call.wants_events:
        text, gone = await platform.logs.text(stream)
        cut = image.log_truncated or platform.builds.log_is_cut(image.id)
        return LogView(image.status, image.version, text, gone or cut)
    ended = ending(platform.database, Image, image.id, ENDED)
    return Answer(events=platform.logs.follow(stream, call.last_event(), ended))
