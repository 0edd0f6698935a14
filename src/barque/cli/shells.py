"""The command `completion`: what has a shell complete commands, options and addresses."""

from enum import StrEnum
from importlib.resources import files
from typing import Annotated

import typer

from barque.cli.account import PANEL
from barque.cli.app import Group


class Shell(StrEnum):
    """A shell that can be taught to complete."""

    bash = "bash"
    zsh = "zsh"
    fish = "fish"


def completion(shell: Annotated[Shell, typer.Argument(help="Your shell.")]) -> None:
    """Print what has a shell complete; its first lines say how to load it."""
    typer.echo(files("barque.cli").joinpath(f"shell/{shell}.sh").read_text(), nl=False)


def add_to(app: Group) -> None:
    """Add the command."""
    app.command(rich_help_panel=PANEL)(completion)
