"""Endpoints of what runs: scaling, processes, logs, one-off commands."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import msgspec
from msgspec import Meta
from sqlalchemy import select

from barque.audit.log import record
from barque.bodies import check
from barque.deployments.service import live_deployment, live_release
from barque.errors import FieldError, Invalid
from barque.http import Answer, Call, Routes
from barque.images.models import Image
from barque.logs.collector import output_of
from barque.logs.store import Line
from barque.processes.one_off import run_one_off
from barque.processes.status import ProcessView, processes_of
from barque.services.models import Service

routes = Routes("/orgs/{org}/projects/{project}/envs/{env}/services/{svc}")

Count = Annotated[int, Meta(ge=0, le=100)]
ProcessType = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,63}$")]


class ScaleRequest(msgspec.Struct, forbid_unknown_fields=True):
    """How many instances each process type is to have; those not named keep theirs."""

    process_counts: dict[ProcessType, Count]


class ScaleAnswer(msgspec.Struct, frozen=True):
    """The counts of all process types, and the live deployment that is being scaled."""

    process_counts: dict[str, int]
    deployment_id: str | None


class LogQuery(msgspec.Struct, frozen=True):
    """Which lines: of one process type, since a moment, the last few, or as they come."""

    process: ProcessType | None = None
    since: datetime | None = None
    tail: Annotated[int, Meta(ge=0, le=20_000)] = 500
    follow: bool = False


class LogLine(msgspec.Struct, frozen=True):
    """A line that an instance wrote; `id` grows within the service."""

    id: int
    at: str
    process: str
    index: int
    text: str


class LogLines(msgspec.Struct, frozen=True):
    """Lines, oldest first."""

    lines: list[LogLine]


class RunRequest(msgspec.Struct, forbid_unknown_fields=True):
    """A command for a shell of the live release, and the seconds that it may take."""

    command: Annotated[str, Meta(min_length=1, max_length=32_768)]
    timeout: Annotated[int, Meta(ge=1, le=3600)] = 300


class RunAnswer(msgspec.Struct, frozen=True):
    """What a one-off command wrote; its `exit_code` is null when its time was over."""

    exit_code: int | None
    output: str
    timed_out: bool


@routes.endpoint(
    "POST", "/scale", answer=ScaleAnswer, status=202, role="developer", body=ScaleRequest,
    errors=(409,), once=True,
)  # fmt: skip
async def scale(call: Call) -> Answer:
    """Change how many instances run, without a new release and without a dropped request."""
    body = await call.body(ScaleRequest)
    async with call.once() as session:
        row = await session.get_one(Service, call.place.svc.id)
        newest = select(Image.processes).where(Image.service_id == row.id, Image.status == "built")
        known = await session.scalar(newest.order_by(Image.version.desc()).limit(1))
        if known is not None and (unknown := sorted(body.process_counts.keys() - known.keys())):
            complaint = f"is no process type of the image: it has {', '.join(sorted(known))}"
            raise Invalid(*(FieldError(f"process_counts.{one}", complaint) for one in unknown))
        before = row.process_counts
        row.process_counts = {**before, **body.process_counts}
        live = await live_deployment(session, row.id)
        record(session, call, "service.scale", before=before, after=row.process_counts)
        value = ScaleAnswer(row.process_counts, live.id if live else None)
        answer = call.remember(session, value)
    call.platform.supervisor.mend_soon(call.place.svc.id)
    return answer


@routes.endpoint("GET", "/processes", answer=list[ProcessView], errors=(503,))
async def list_processes(call: Call) -> list[ProcessView]:
    """List the running instances of a service."""
    return await processes_of(call.platform, call.place)


@routes.endpoint("GET", "/logs", answer=LogLines, query=LogQuery, events=True)
async def runtime_logs(call: Call) -> LogLines | Answer:
    """Show what the instances wrote; as an event stream, follow it, after `Last-Event-ID`."""
    query = call.query(LogQuery)
    check(since="must have a time zone" if query.since and not query.since.tzinfo else None)
    logs, service_id = call.platform.logs, call.place.svc.id
    stream, source = output_of(service_id), f"{query.process}." if query.process else ""
    since = _stamp(query.since) if query.since else ""
    lines = logs.read(stream, source=source, since=since, tail=query.tail)
    if not (call.wants_events or query.follow):
        return LogLines([_line(line) for line in lines])
    if "last-event-id" in call.request.headers:
        after = call.last_event()
    else:
        after = lines[0].id - 1 if lines else logs.newest(stream)

    async def ended() -> str | None:
        async with call.platform.database.read() as session:
            return None if await session.get(Service, service_id) else "deleted"

    return Answer(events=logs.follow(stream, after, ended, source=source, show=_line))


def _stamp(moment: datetime) -> str:
    # Without its zone, so that it sorts before every stamp of that moment; and a microsecond
    # earlier, since the stamps' nanoseconds may have been rounded up on their way here.
    earlier = moment.astimezone(UTC) - timedelta(microseconds=1)
    return earlier.strftime("%Y-%m-%dT%H:%M:%S.%f")


def _line(line: Line) -> LogLine:
    process, _, index = line.source.rpartition(".")
    return LogLine(line.id, line.at, process, int(index), line.text)


@routes.endpoint(
    "POST", "/run", answer=RunAnswer, role="developer", body=RunRequest, errors=(409, 503)
)
async def run(call: Call) -> RunAnswer:
    """Run a one-off command in a new container of the live release, and show what it wrote."""
    body = await call.body(RunRequest)
    async with call.platform.database.write() as session:
        release = await live_release(session, call.place)
        if call.place.env.protected:
            call.require("admin")
        record(session, call, "service.run", after={"release": release.version})
    code, output = await run_one_off(call.platform, call.place, release, body.command, body.timeout)
    return RunAnswer(code, output, code is None)
