"""What commands print: tables for people, JSON for programs."""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")

_ENDLESS = 1_000_000
_UNIT = 1024

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


@dataclass
class Run:
    """What was asked of this run of the program, whatever the command is."""

    json: bool = False
    context: str | None = None

    def note(self, as_json: bool, context: str | None) -> None:
        """Note what options say; what was said before stands otherwise."""
        self.json = self.json or as_json
        self.context = context or self.context


run = Run()


def show(value: Any, columns: Sequence[str] = (), empty: str = "") -> None:
    """Print rows as a table, or as JSON; where there are none, people are told what to do next."""
    if run.json:
        typer.echo(json.dumps(value))
        return
    rows = value if isinstance(value, list) else [value]
    if not rows and empty:
        err.print(empty, markup=False, soft_wrap=True)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        # What is to be copied stays whole, on however narrow a terminal.
        table.add_column(
            column.replace("_", " ").upper(), overflow="fold", no_wrap=column.endswith("id")
        )
    for row in rows:
        table.add_row(*(_in_table(column, row.get(column)) for column in columns))
    if not out.is_terminal:
        # In a pipe nothing has to fit anywhere: a row is a line.
        out.width = _ENDLESS
    out.print(table)


def describe(value: Mapping[str, Any], fields: Sequence[str] = ()) -> None:
    """Print one thing field by field (all, unless they are named), or as JSON."""
    if run.json:
        typer.echo(json.dumps(value))
        return
    shown = {name: value[name] for name in fields or value}
    width = max(len(name) for name in shown)
    for name, one in shown.items():
        lines = cell(one).splitlines() or ["-"]
        label = name.replace("_", " ").ljust(width)
        say(f"{label}  {lines[0]}")
        for line in lines[1:]:
            say(f"{' ' * width}  {line}")


def told(sentence: str, **facts: Any) -> None:
    """Print a sentence about what was done, or the facts of it as JSON."""
    if run.json:
        typer.echo(json.dumps(facts))
    else:
        say(sentence)


def say(line: str) -> None:
    """Print a line as it stands, however long."""
    out.print(line, markup=False, soft_wrap=True)


def hint(line: str) -> None:
    """Print a line beside the output, where it is in nobody's way."""
    err.print(line, markup=False, soft_wrap=True)


def given(**options: Any) -> dict[str, Any]:
    """Return the options that were given."""
    return {name: value for name, value in options.items() if value is not None}


def _in_table(column: str, value: Any) -> str:
    """Say a value as short as a table wants it."""
    said = _SHORT.get(column)
    return cell(said(value) if said and value is not None else value)


def _percent(cores: float) -> str:
    return f"{cores * 100:.1f} %"


def _binary(size: float) -> str:
    """Say bytes in the largest unit of which there is one at least."""
    for unit in ("B", "KiB", "MiB"):
        if size < _UNIT:
            return f"{size:.{0 if unit == 'B' else 1}f} {unit}"
        size /= _UNIT
    return f"{size:.1f} GiB"


def _abbreviated(sha: str) -> str:
    return sha[:12]


# CPU is that of one core.
_SHORT: dict[str, Callable[[Any], str]] = {
    "cpu": _percent, "memory": _binary, "commit_sha": _abbreviated,
}  # fmt: skip


def cell(value: Any) -> str:
    """Say a value in the words of people."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return " ".join(f"{key}={cell(one)}" for key, one in value.items()) or "-"
    if isinstance(value, Iterable) and not isinstance(value, str):
        return " ".join(map(cell, value)) or "-"
    if isinstance(value, str) and _MOMENT.match(value):
        return value[:19].replace("T", " ")
    return str(value)
