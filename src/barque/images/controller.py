"""Endpoints of images (seed: "Images")."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from barque.audit.log import record
from barque.errors import Conflict
from barque.http import Answer, Call, Routes
from barque.images.build import KIND
from barque.images.models import Image
from barque.images.service import ENDED, enqueue, image_at, newest_first, stream_of
from barque.pages import Page, PageQuery, paged

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
    """An image; `plan` is how it was built without a Dockerfile, `pruned` since when it is gone."""

    id: str
    version: int
    status: str
    source: str
    ref: str | None
    commit_sha: str | None
    dockerfile: str | None
    plan: dict[str, Any] | None
    procfile: str | None
    processes: dict[str, str] | None
    image_digest: str | None
    size_bytes: int | None
    error_detail: str | None
    created: datetime
    started: datetime | None
    finished: datetime | None
    pruned: datetime | None


class LogView(msgspec.Struct, frozen=True):
    """A build log."""

    status: str
    version: int
    log_text: str
    truncated: bool


def _view(row: Image) -> ImageView:
    return msgspec.convert(row, ImageView, from_attributes=True)


@routes.endpoint("GET", answer=Page[ImageView], query=PageQuery)
async def list_images(call: Call) -> Page[ImageView]:
    """List a service's images, newest first."""
    query = call.query(PageQuery)
    async with call.platform.database.read() as session:
        rows, pagination = await paged(session, newest_first(call.place), query)
    return Page([_view(row) for row in rows], pagination)


@routes.endpoint(
    "POST", "/build", answer=BuildAnswer, status=202, role="developer", body=BuildRequest,
    errors=(409,), once=True,
)  # fmt: skip
async def build(call: Call) -> Answer:
    """Enqueue a build."""
    body = await call.body(BuildRequest)
    async with call.once() as session:
        image = await enqueue(session, call.place, body.ref)
        record(session, call, "image.build", f"images/{image.version}", after={"ref": image.ref})
        answer = call.remember(session, BuildAnswer(image.id, image.version))
    await call.platform.pipeline.begin(KIND, image.id)
    return answer


@routes.endpoint("GET", "/{version}", answer=ImageView)
async def get_image(call: Call) -> ImageView:
    """Show an image."""
    async with call.platform.database.read() as session:
        return _view(await image_at(session, call.place, call.number("version")))


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
async def image_log(call: Call) -> LogView | Answer:
    """Show a build log; as an event stream, follow it, after `Last-Event-ID`."""
    platform = call.platform
    async with platform.database.read() as session:
        image = await image_at(session, call.place, call.number("version"))
    stream = stream_of(image.id)
    if not call.wants_events:
        text, truncated = await platform.logs.text(stream)
        return LogView(image.status, image.version, text, truncated)

    async def ended() -> str | None:
        async with platform.database.read() as session:
            present = await image_at(session, call.place, image.version)
        return present.status if present.status in ENDED else None

    return Answer(events=platform.logs.follow(stream, call.last_event(), ended))
