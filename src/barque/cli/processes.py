"""Commands about what runs: scale, ps, logs, run, exec."""

import json
import re
import shlex
import sys
from contextlib import AbstractContextManager
from enum import Enum, auto
from typing import Annotated, Any, NoReturn

import typer

from barque.cli.app import Group
from barque.cli.context import service_at
from barque.cli.exits import Exit, fail
from barque.cli.moments import ago
from barque.cli.output import hint, run, show
from barque.cli.parameters import At, Follow
from barque.client import Session
from barque.client.shapes import RunAnswer

PANEL = "Run"
_PATIENCE = 300
Command = Annotated[
    list[str] | None,
    typer.Argument(help="After --: a command and its arguments, or a shell's script as one word."),
]
Timeout = Annotated[
    int | None, typer.Option(min=1, help="Seconds that it may take (300), without a session.")
]
Interactive = Annotated[
    bool, typer.Option("--interactive", "-i", help="Pass the standard input on to it.")
]
Tty = Annotated[
    bool | None,
    typer.Option(
        "--tty/--no-tty", "-t/-T", help="On a terminal, which is usual at one.", show_default=False
    ),
]
Process = Annotated[str | None, typer.Option(help="Of one process type.")]
Since = Annotated[str | None, typer.Option(help="10m, 2h, 1d (ago), or a moment.")]
Until = Annotated[str | None, typer.Option(help="Before then, said likewise.")]
Search = Annotated[str | None, typer.Option(help="With this text, in any case.")]
Tail = Annotated[int, typer.Option("--tail", "-n", help="The last lines.")]


def scale(
    counts: Annotated[list[str], typer.Argument(metavar="TYPE=COUNT", help="web=3 worker=1 ...")],
    at: At = None,
) -> None:
    """Change how many instances run."""
    if wrong := [one for one in counts if not re.fullmatch(r"[^=]+=\d+", one)]:
        fail(f"'{wrong[0]}' is not type=count", Exit.USAGE)
    wanted = {name: int(count) for name, count in (one.split("=") for one in counts)}
    show(service_at(at).scale(wanted), ("process_counts",))


def ps(at: At = None) -> None:
    """List the running instances."""
    columns = ("type", "index", "state", "release", "started", "restarts", "cpu", "memory")
    show(service_at(at).processes(), columns, "nothing runs: 'barque deploy' rolls a release out")


def logs(
    process: Process = None, since: Since = None, until: Until = None, search: Search = None,
    tail: Tail = 100, at: At = None, follow: Follow = False,
) -> None:  # fmt: skip
    """Show what the instances wrote."""
    query: dict[str, Any] = {
        "process": process, "search": search, "tail": tail, "since": ago(since),
        "until": ago(until),
    }  # fmt: skip
    service = service_at(at)
    if run.json and not follow:
        show(service.logs(**query))
        return
    rows = service.follow_logs(_show_gap, **query) if follow else service.logs(**query)
    if not rows:
        hint("no lines are kept that were asked for: 'barque ps' lists what runs")
    for row in rows:
        # What is followed has no end to close a list with: one row a line.
        text = f"{row['at'][:19]} {row['process']}.{row['index']} | {row['text']}"
        typer.echo(json.dumps(row) if run.json else text)


def _show_gap(lines: int | None) -> None:
    hint(f"barque: {lines or 'some'} lines are no longer kept")


def run_one_off(
    command: Command = None, at: At = None, timeout: Timeout = None,
    interactive: Interactive = False, tty: Tty = None,
) -> None:  # fmt: skip
    """Run a one-off command, or a shell, in a new container of the live release."""
    text, service = _script(command), service_at(at)
    match _way(text, timeout, interactive, tty):
        case Way.WHOLE:
            seconds = timeout or _PATIENCE
            _ended(service.run(text, seconds), seconds)
        case way:
            _attend(service.open_run(text or None, size=_size(way)), way)


def run_inside(
    command: Command = None,
    process: Annotated[str, typer.Option(help="The process type.")] = "web",
    index: Annotated[int | None, typer.Option(min=0, help="Which one; else the first.")] = None,
    at: At = None,
    timeout: Timeout = None,
    interactive: Interactive = False,
    tty: Tty = None,
) -> None:
    """Run a command, or a shell, inside of an instance that runs."""
    text, service = " ".join(command or ()), service_at(at)
    where: Any = {"process": process, "index": index}
    match _way(text, timeout, interactive, tty):
        case Way.WHOLE:
            seconds = timeout or _PATIENCE
            _ended(service.exec(text, **where, timeout=seconds), seconds)
        case way:
            _attend(service.open_exec(text or None, **where, size=_size(way)), way)


def _script(command: list[str] | None) -> str:
    """Return what a shell is to run: the one word, or words that it must leave as they are."""
    words = command or []
    return words[0] if len(words) == 1 else shlex.join(words)


class Way(Enum):
    """How a command is run: its output shown at its end, or in a session."""

    WHOLE = auto()
    PIPES = auto()
    TERMINAL = auto()


def _way(command: str, timeout: int | None, interactive: bool, tty: bool | None) -> Way:
    """Decide how to run a command: at a terminal it has one, unless something else is asked for."""
    if run.json or timeout is not None:
        if interactive or tty:
            fail("a session has neither --json nor --timeout: leave them, or -i and -t", Exit.USAGE)
    elif tty or (tty is None and sys.stdin.isatty() and sys.stdout.isatty()):
        return Way.TERMINAL
    elif interactive:
        return Way.PIPES
    if not command:
        fail("which command? Name it after --, or have a shell read your input with -i", Exit.USAGE)
    return Way.WHOLE


def _size(way: Way) -> tuple[int, int] | None:
    from barque.cli.terminal import window  # noqa: PLC0415 - not every system has terminals

    return window() if way is Way.TERMINAL else None


def _attend(opened: AbstractContextManager[Session], way: Way) -> NoReturn:
    """Be in a session to its end, and end as it ended."""
    from barque.cli.terminal import attend  # noqa: PLC0415 - not every system has terminals

    with opened as session:
        code = attend(session, terminal=way is Way.TERMINAL)
    raise typer.Exit(code)


def _ended(said: RunAnswer, timeout: int) -> None:
    """Print what a command wrote, and end as it ended."""
    if run.json:
        show(said)
    else:
        typer.echo(said["output"], nl=False)
    if said["exit_code"] is None:
        fail(f"the command took over {timeout} s: give it more with --timeout")
    raise typer.Exit(said["exit_code"])


def add_to(app: Group) -> None:
    """Add the commands."""
    for command in (scale, ps, logs):
        app.add(command.__name__, PANEL)(command)
    app.add("run", PANEL)(run_one_off)
    app.add("exec", PANEL)(run_inside)
