"""The endpoint that source is uploaded to."""

from barque.audit.log import record
from barque.errors import Invalid, TooLarge
from barque.http import Answer, Call, Routes
from barque.images.build import KIND
from barque.images.controller import BuildAnswer
from barque.images.service import add
from barque.images.source import UPLOAD
from barque.settings import MEBIBYTE
from barque.uploads.names import ArchiveError
from barque.uploads.store import Parcel

routes = Routes("/orgs/{org}/projects/{project}/envs/{env}/services/{svc}/images")


@routes.endpoint(
    "POST", "/upload", answer=BuildAnswer, status=202, role="developer", errors=(503,), once=True,
    upload=True,
)  # fmt: skip
async def upload_source(call: Call) -> Answer:
    """Enqueue a build of the source in the body: a tar archive, plain or compressed with gzip."""
    uploads = call.platform.uploads
    _announced(call, uploads.limit)
    with uploads.receive() as parcel:
        await call.body_into(parcel.file, uploads.limit, _too_large(uploads.limit))
        answer = await _enqueue(call, parcel)
    await call.platform.pipeline.begin(KIND, answer.value.image_id)
    return answer


async def _enqueue(call: Call, parcel: Parcel) -> Answer:
    uploads = call.platform.uploads
    try:
        await parcel.check(uploads.bounds)
    except ArchiveError as error:
        raise Invalid.field("body", str(error)) from None
    async with call.once() as session:
        image = await add(session, call.place, source=UPLOAD)
        record(session, call, "image.upload", f"images/{image.version}")
        answer = call.remember(session, BuildAnswer(image.id, image.version))
        # Before the row is: a file without a row is swept, a row without a file is a lost build.
        parcel.keep(uploads.path(image.id))
    return answer


def _announced(call: Call, limit: int) -> None:
    """Refuse at once what says of itself that it is too large."""
    said = call.request.headers.get("content-length", "")
    if said.isascii() and said.isdigit() and int(said[:20]) > limit:
        raise TooLarge(_too_large(limit))


def _too_large(limit: int) -> str:
    return (
        f"the source is over {limit // MEBIBYTE} MiB: leave out what no build needs with "
        ".gitignore or .dockerignore, or have the platform's operator raise BARQUE_UPLOAD_MB"
    )
