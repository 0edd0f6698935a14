"""Following builds and deployments: redrawn on a terminal, plain lines in a pipe."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from barque.cli.context import command_for
from barque.cli.exits import Exit, fail
from barque.cli.output import err, hint, out, run
from barque.client import Blocking, Service
from barque.client.shapes import DeploymentView, ImageView

# What a deployment's log begins a line with as it enters a step; the last four are its ends.
_STEPS = ("queued", "releasing", "starting", "checking", "switching", "draining")
_ENDS = ("live", "failed", "cancelled", "superseded")


def _console() -> Console:
    # What is followed is for people: where JSON was asked for, only that goes to the output.
    return err if run.json else out


def follow_build(service: Service[Blocking], version: int) -> ImageView:
    """Show a build to its end, and return the image. Ends the program where it failed."""
    logs = command_for(service, f"images logs {version}")
    with _left_alone(f"the build goes on: '{logs} --follow'"):
        _show_build(service.follow_build(version), version, _console())
    image = service.image(version)
    if image["status"] != "built":
        fail(
            f"image {version}: {image['error_detail'] or image['status']}", Exit.FAILED,
            image=image,
        )  # fmt: skip
    return image


def follow_deployment(service: Service[Blocking], deployment_id: str) -> DeploymentView:
    """Show a deployment to its end, and return it. Ends the program where it failed."""
    logs = command_for(service, f"deployments logs {deployment_id}")
    with _left_alone(f"the deployment goes on: '{logs} --follow'"):
        _show_deployment(service.follow_deployment(deployment_id), _console())
    row = service.deployment(deployment_id)
    if row["status"] not in ("live", "retired"):
        fail(
            f"the deployment is {row['status']}: {row['error_detail'] or 'see its log'}\n"
            f"what it said: '{logs}'", Exit.FAILED,
            deployment=row,
        )  # fmt: skip
    return row


@contextmanager
def _left_alone(sentence: str) -> Iterator[None]:
    """Tell whoever stops watching that the work goes on."""
    try:
        yield
    except KeyboardInterrupt:
        hint(f"barque: {sentence}")
        raise


def _redraws(console: Console) -> bool:
    return console.is_terminal and not console.is_dumb_terminal


def _plain(lines: Iterable[str], console: Console) -> None:
    for line in lines:
        console.print(line, markup=False, soft_wrap=True)


def _show_build(lines: Iterable[str], version: int, console: Console) -> None:
    if not _redraws(console):
        _plain(lines, console)
        return
    clock = _Clock(f"building image {version}")
    with Live(clock, console=console, refresh_per_second=8, transient=True):
        _plain(lines, console)


def _show_deployment(lines: Iterable[str], console: Console) -> None:
    if not _redraws(console):
        _plain(lines, console)
        return
    steps = Steps()
    with Live(steps, console=console, refresh_per_second=8):
        for line in lines:
            steps.take(line)


@dataclass
class _Clock:
    """Something that takes its time, and how long it has taken."""

    text: str
    begun: float = field(default_factory=monotonic)
    spinner: Spinner = field(default_factory=lambda: Spinner("dots"))

    def __rich__(self) -> RenderableType:
        row = Table.grid(padding=(0, 1))
        row.add_row(self.spinner, Text(self.text), Text(_seconds(self.begun), style="dim"))
        return row


@dataclass
class _Step:
    name: str
    message: str
    begun: float
    took: str = ""


class Steps:
    """A deployment step by step, out of the lines of its log, as it is drawn."""

    def __init__(self) -> None:
        self._steps: list[_Step] = []
        self._said: list[str] = []
        self._spinner = Spinner("dots")

    def take(self, line: str) -> None:
        """Read the next line."""
        name, colon, message = line.partition(": ")
        if not colon or name not in (*_STEPS, *_ENDS):
            self._said.append(line)
            return
        if self._steps:
            self._steps[-1].took = _seconds(self._steps[-1].begun)
        self._said.clear()
        self._steps.append(_Step(name, message, monotonic()))

    def __rich__(self) -> RenderableType:
        rows = Table.grid(padding=(0, 1))
        for step in self._steps:
            rows.add_row(self._sign(step), Text(step.name, style="bold"), Text(step.message),
                         Text(step.took or self._running(step), style="dim"))  # fmt: skip
        said = [Text(f"  {line}", style="dim") for line in self._said[-3:]]
        return Group(rows, *said)

    def _sign(self, step: _Step) -> RenderableType:
        if step.name == "live":
            return Text("✓", style="green")
        if step.name in _ENDS:
            return Text("✗", style="red")
        return Text("✓", style="green") if step.took else self._spinner

    def _running(self, step: _Step) -> str:
        return "" if step.name in _ENDS else _seconds(step.begun)


def _seconds(begun: float) -> str:
    return f"{monotonic() - begun:.1f} s"
