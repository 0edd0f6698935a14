"""Secret values: asked for, or read from a pipe, and never an argument that others can see."""

import sys

import typer

from barque.cli.exits import Exit


def secret(what: str) -> str:
    """Read one secret value."""
    if sys.stdin.isatty():
        try:
            return str(typer.prompt(what, hide_input=True, err=True))
        except typer.Abort:
            raise typer.Exit(Exit.INTERRUPTED) from None
    return sys.stdin.readline().rstrip("\r\n")


def whole_input(what: str) -> str:
    """Read a secret value that may have many lines; on a terminal, one line is asked for."""
    if sys.stdin.isatty():
        return secret(what)
    return sys.stdin.read().removesuffix("\n")
