"""Arguments and options that many commands have."""

from typing import Annotated

import typer

from barque.cli.completion import addresses

_LEVELS = ("ORG", "PROJECT", "ENV", "SERVICE")

Org = Annotated[
    str | None,
    typer.Option("--org", "-o", help="The org, or the linked one.", autocompletion=addresses(1)),
]
OfProject = Annotated[
    str | None,
    typer.Option(
        "--project", "-p", help="org/project, or the linked one.", autocompletion=addresses(2)
    ),
]
At = Annotated[
    str | None,
    typer.Option(
        "--service", "-s", help="org/project/env/service, or the linked one.",
        autocompletion=addresses(4),
    ),
]  # fmt: skip
AtLevel = Annotated[
    str | None,
    typer.Option(
        "--at", "-s",
        help="org, org/project, org/project/env or org/project/env/service; else the linked one.",
        autocompletion=addresses(4),
    ),
]  # fmt: skip
Follow = Annotated[bool, typer.Option("--follow", "-f", help="Show it live, to its end.")]
Limit = Annotated[int, typer.Option("--limit", "-n", min=1, help="How many at most.")]
Cascade = Annotated[bool, typer.Option(help="Delete what it holds, too.")]
Name = Annotated[str | None, typer.Option(help="A new name; the slug stays.")]
Slug = Annotated[str | None, typer.Option(help="The slug; else it is made of the name.")]


def address(depth: int, what: str) -> typer.models.ArgumentInfo:
    """Return an argument that is an address of so many parts."""
    found: typer.models.ArgumentInfo = typer.Argument(
        metavar="/".join(_LEVELS[:depth]), help=what, autocompletion=addresses(depth)
    )
    return found
