"""Arguments and options that many commands have."""

from typing import Annotated

import typer

from barque.cli.completion import addresses

_LEVELS = ("ORG", "PROJECT", "ENV", "SERVICE")


def address(depth: int, what: str) -> typer.models.ArgumentInfo:
    """Return an argument that is an address of so many parts."""
    found: typer.models.ArgumentInfo = typer.Argument(
        metavar="/".join(_LEVELS[:depth]), help=what, autocompletion=addresses(depth)
    )
    return found


AnOrg = Annotated[str, address(1, "The organization.")]
AProject = Annotated[str, address(2, "The project.")]
AnEnv = Annotated[str, address(3, "The environment.")]
AService = Annotated[str, address(4, "The service.")]
LinkedOrg = Annotated[str | None, address(1, "The organization, or the linked one.")]
LinkedProject = Annotated[str | None, address(2, "The project, or the linked one.")]
LinkedEnv = Annotated[str | None, address(3, "The environment, or the linked one.")]
LinkedService = Annotated[str | None, address(4, "The service, or the linked one.")]

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
FollowOrNot = Annotated[
    bool,
    typer.Option("--follow/--detach", "-f/-d", help="Show it live, to its end, or return at once."),
]
Limit = Annotated[int, typer.Option("--limit", "-n", min=1, help="How many at most.")]
Cascade = Annotated[bool, typer.Option(help="Delete what it holds, too.")]
Name = Annotated[str | None, typer.Option(help="A new name; the slug stays.")]
NewName = Annotated[str, typer.Option("--name", help="A new name; the slug stays.")]
Slug = Annotated[str | None, typer.Option(help="The slug; else it is made of the name.")]
