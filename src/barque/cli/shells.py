"""The command `completion`: what has a shell complete commands, options and addresses."""

from enum import StrEnum
from importlib.resources import files
from typing import Annotated

import typer

from barque.cli.account import PANEL
from barque.cli.app import Group
from barque.cli.output import run, show


class Shell(StrEnum):
    """A shell that can be taught to complete."""

    bash = "bash"
    zsh = "zsh"
    fish = "fish"


def completion(shell: Annotated[Shell, typer.Argument(help="Your shell.")]) -> None:
    """Print what has a shell complete; its first lines say how to load it."""
    script = files("barque.cli").joinpath(f"shell/{shell}.sh").read_text()
    if run.json:
        show({"shell": shell.value, "script": script})
    else:
        typer.echo(script, nl=False)


def add_to(app: Group) -> None:
    """Add the command."""
    app.add("completion", PANEL)(completion)
