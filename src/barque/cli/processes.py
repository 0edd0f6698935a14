"""Commands about what runs: scale, ps, logs, run, exec."""

import json
import re
from typing import Annotated, Any

import typer

from barque.cli.app import Group
from barque.cli.context import service_at
from barque.cli.exits import Exit, fail
from barque.cli.moments import ago
from barque.cli.output import hint, run, show
from barque.cli.parameters import At, Follow
from barque.client.shapes import RunAnswer

PANEL = "Run"
Command = Annotated[list[str], typer.Argument(help="The command, for a shell, after --.")]
Timeout = Annotated[int, typer.Option(help="Seconds that it may take.")]
Process = Annotated[str | None, typer.Option(help="Of one process type.")]
Since = Annotated[str | None, typer.Option(help="10m, 2h, 1d (ago), or a moment.")]
Until = Annotated[str | None, typer.Option(help="Before then, said likewise.")]
Search = Annotated[str | None, typer.Option(help="With this text, in any case.")]
Tail = Annotated[int, typer.Option("--tail", "-n", help="The last lines.")]


def scale(
    counts: Annotated[list[str], typer.Argument(help="web=3 worker=1 ...")], at: At = None
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
    for row in rows:
        # What is followed has no end to close a list with: one row a line.
        text = f"{row['at'][:19]} {row['process']}.{row['index']} | {row['text']}"
        typer.echo(json.dumps(row) if run.json else text)


def _show_gap(lines: int | None) -> None:
    hint(f"barque: {lines or 'some'} lines are no longer kept")


def run_one_off(command: Command, at: At = None, timeout: Timeout = 300) -> None:
    """Run a one-off command in a new container of the live release."""
    _ended(service_at(at).run(" ".join(command), timeout), timeout)


def run_inside(
    command: Command,
    process: Annotated[str, typer.Option(help="The process type.")] = "web",
    index: Annotated[int | None, typer.Option(min=0, help="Which one; else the first.")] = None,
    at: At = None,
    timeout: Timeout = 300,
) -> None:
    """Run a command inside of an instance that runs."""
    service = service_at(at)
    _ended(service.exec(" ".join(command), process=process, index=index, timeout=timeout), timeout)


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
