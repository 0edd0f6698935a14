"""Endpoints of what runs: scaling, processes, logs, one-off commands."""

from typing import Annotated

import msgspec
from msgspec import Meta
from sqlalchemy import select

from barque.audit.log import record
from barque.deployments.service import live_deployment, live_release, what_serves
from barque.errors import FieldError, Invalid
from barque.fields import Moment
from barque.http import Answer, Call, Routes
from barque.images.models import Image
from barque.logs.collector import output_of
from barque.logs.lines import Line, Wanted
from barque.processes.executing import execute, instance_of
from barque.processes.one_off import run_one_off
from barque.processes.status import ProcessView, processes_of
from barque.releases.models import Release
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
    """Which lines, all of it at once: of one process type, from `since` on, before `until`.

    `search` is plain text that they hold, whatever the case of its letters; `tail` says how many
    at most, the last ones; with `follow`, these and then those to come.
    """

    process: ProcessType | None = None
    since: Moment | None = None
    until: Moment | None = None
    search: Annotated[str, Meta(min_length=1, max_length=1000)] | None = None
    tail: Annotated[int, Meta(ge=0, le=20_000)] = 500
    follow: bool = False


class LogLines(msgspec.Struct, frozen=True):
    """Lines, oldest first."""

    lines: list[Line]


class RunRequest(msgspec.Struct, forbid_unknown_fields=True):
    """A command for a shell of the live release, and the seconds that it may take."""

    command: Annotated[str, Meta(min_length=1, max_length=32_768)]
    timeout: Annotated[int, Meta(ge=1, le=3600)] = 300


class ExecRequest(RunRequest, forbid_unknown_fields=True):
    """A command for a shell inside of an instance: the first of its type, unless one is named."""

    process: ProcessType = "web"
    index: Count | None = None


class RunAnswer(msgspec.Struct, frozen=True):
    """What a command wrote; its `exit_code` is null when its time was over."""

    exit_code: int | None
    output: str
    timed_out: bool


@routes.endpoint(
    "POST", "/scale", answer=ScaleAnswer, status=202, role="developer", body=ScaleRequest,
    errors=(409,), once=True,
)  # fmt: skip
async def scale_service(call: Call) -> Answer:
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


@routes.endpoint("GET", "/logs", answer=LogLines, query=LogQuery, events=True, errors=(503,))
async def get_logs(call: Call) -> LogLines | Answer:
    """Show what the instances wrote; as an event stream, follow it, after `Last-Event-ID`.

    The event `gap` tells how many lines are no longer kept that would have come next (null when
    only some are asked for: nobody knows how many of these), the event `end` that nothing more
    comes.
    """
    query = call.query(LogQuery)
    wanted = _wanted(query)
    logs, service_id = call.platform.logs, call.place.svc.id
    stream, fresh = output_of(service_id), "last-event-id" not in call.request.headers
    follows = call.wants_events or query.follow
    after = 0 if fresh else call.last_event()
    if fresh or not follows:
        page = await logs.tail(stream, wanted, query.tail)
        if not follows:
            return LogLines(page.lines)
        after = page.lines[0].id - 1 if page.lines else page.upto

    async def ended() -> str | None:
        async with call.platform.database.read() as session:
            return None if await session.get(Service, service_id) else "deleted"

    events = logs.follow(stream, after, ended, wanted=wanted, show=_whole, fresh=fresh)
    return Answer(events=events)


def _wanted(query: LogQuery) -> Wanted:
    """Return which lines a query asks for. Raises `Invalid`."""
    if query.since and query.until and query.until <= query.since:
        raise Invalid.field("until", "must be later than since")
    return Wanted(query.process, query.since, query.until, query.search)


def _whole(line: Line) -> Line:
    return line


@routes.endpoint(
    "POST", "/run", answer=RunAnswer, role="developer", body=RunRequest, errors=(409, 503)
)
async def run_command(call: Call) -> RunAnswer:
    """Run a one-off command in a new container of the live release, and show what it wrote."""
    body = await call.body(RunRequest)
    async with call.platform.database.write() as session:
        release = await live_release(session, call.place)
        _allow_command(call)
        record(session, call, "service.run", after={"release": release.version})
    code, output = await run_one_off(call.platform, call.place, release, body.command, body.timeout)
    return RunAnswer(code, output, code is None)


@routes.endpoint(
    "POST", "/exec", answer=RunAnswer, role="developer", body=ExecRequest, errors=(409, 503)
)
async def exec_in_instance(call: Call) -> RunAnswer:
    """Run a command inside of an instance that serves, and show what it wrote."""
    body, platform = await call.body(ExecRequest), call.platform
    _allow_command(call)
    async with platform.database.read() as session:
        deployment = await what_serves(session, call.place)
        release = await session.get_one(Release, deployment.release_id)
    name = await instance_of(platform, call.place, deployment.id, body.process, body.index)
    async with platform.database.write() as session:
        ran = {"release": release.version, "instance": name.rpartition(".")[2]}
        record(session, call, "service.exec", after=ran)
    code, output = await execute(platform, call.place, release, name, body.command, body.timeout)
    return RunAnswer(code, output, code is None)


def _allow_command(call: Call) -> None:
    """Return if the caller may run commands here. Raises `Forbidden`."""
    if call.place.env.protected:
        call.require("admin")
