"""Endpoints of what runs: scaling, processes, logs, one-off commands."""

from typing import Annotated

import msgspec
from msgspec import Meta
from sqlalchemy import select

from barque.audit.log import record
from barque.deployments.service import live_deployment, live_release, what_serves
from barque.errors import Conflict, FieldError, Invalid
from barque.fields import Moment
from barque.http import Answer, Call, Routes, Socket
from barque.images.models import Image
from barque.logs.collector import output_of
from barque.logs.lines import Line, Wanted
from barque.processes.executing import execute, goes_on, instance_of
from barque.processes.one_off import open_one_off, run_one_off
from barque.processes.sessions import Columns, Rows, command_of, converse, tell_end
from barque.processes.status import ProcessView, processes_of
from barque.releases.models import Release
from barque.runtimes.port import Size
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


class Terminal(msgspec.Struct, frozen=True):
    """Whether a session has a terminal, and of what size."""

    tty: bool = False
    rows: Rows = 24
    cols: Columns = 80

    @property
    def size(self) -> Size | None:
        """The size of the terminal, if there is to be one."""
        return (self.rows, self.cols) if self.tty else None


class ExecQuery(Terminal, frozen=True):
    """In which instance a session is: the first of its type, unless one is named."""

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
    """Run a one-off command in a new container of the live release, and show what it wrote.

    `GET .../run/session` is the same with an input and a terminal, over a WebSocket: see
    `docs/how-to/terminal.md`.
    """
    body = await call.body(RunRequest)
    release = await _release_to_run(call)
    code, output = await run_one_off(call.platform, call.place, release, body.command, body.timeout)
    return RunAnswer(code, output, code is None)


@routes.session("/run/session", role="developer")
async def run_session(call: Call) -> Answer:
    """Run a one-off command in a new container, whose input and output are the caller's."""
    platform, place, size = call.platform, call.place, call.query(Terminal).size
    release = await _release_to_run(call)

    async def talk(socket: Socket) -> None:
        command = await command_of(socket)
        opened = open_one_off(platform, place, release, command, size)
        code = await converse(socket, opened, platform.instances.masker(release, place))
        if code is None:
            raise Conflict("the command's container was removed, and the command has ended with it")
        await tell_end(socket, code)

    return Answer(session=lambda socket: platform.sessions.hold(talk(socket)))


async def _release_to_run(call: Call) -> Release:
    """Return the live release, noting that a command is run in it."""
    _allow_command(call)
    async with call.platform.database.write() as session:
        release = await live_release(session, call.place)
        record(session, call, "service.run", after={"release": release.version})
    return release


@routes.endpoint(
    "POST", "/exec", answer=RunAnswer, role="developer", body=ExecRequest, errors=(409, 503)
)
async def exec_in_instance(call: Call) -> RunAnswer:
    """Run a command inside of an instance that serves, and show what it wrote.

    `GET .../exec/session` is the same with an input and a terminal, over a WebSocket: see
    `docs/how-to/terminal.md`.
    """
    body, platform = await call.body(ExecRequest), call.platform
    release, name = await _instance_to_enter(call, body.process, body.index)
    code, output = await execute(platform, call.place, release, name, body.command, body.timeout)
    return RunAnswer(code, output, code is None)


@routes.session("/exec/session", role="developer")
async def exec_session(call: Call) -> Answer:
    """Run a command inside of an instance, with its input and output those of the caller."""
    platform, place, query = call.platform, call.place, call.query(ExecQuery)
    release, name = await _instance_to_enter(call, query.process, query.index)

    async def talk(socket: Socket) -> None:
        command, before = await command_of(socket), await platform.runtime.inspect(name)
        opened = platform.runtime.open_exec(name, command, query.size)
        code = await converse(socket, opened, platform.instances.masker(release, place))
        if code is None or not await goes_on(platform, name, before, code):
            raise Conflict(
                f"{name.rpartition('.')[2]} has ended, and the command with it: it was replaced, "
                "scaled away, or ended by itself; GET .../processes shows what runs now"
            )
        await tell_end(socket, code)

    return Answer(session=lambda socket: platform.sessions.hold(talk(socket)))


async def _instance_to_enter(call: Call, process: str, index: int | None) -> tuple[Release, str]:
    """Return an instance's release and container, noting that a command is run in it."""
    _allow_command(call)
    async with call.platform.database.read() as session:
        deployment = await what_serves(session, call.place)
        release = await session.get_one(Release, deployment.release_id)
    name = await instance_of(call.platform, call.place, deployment.id, process, index)
    async with call.platform.database.write() as session:
        ran = {"release": release.version, "instance": name.rpartition(".")[2]}
        record(session, call, "service.exec", after=ran)
    return release, name


def _allow_command(call: Call) -> None:
    """Return if the caller may run commands here. Raises `Forbidden`."""
    if call.place.env.protected:
        call.require("admin")
