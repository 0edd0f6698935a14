"""Commands about plans: how a folder would be built, and what it would be built upon."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from barque.cli.app import Group
from barque.cli.output import hint, run, say, show
from barque.cli.server import settings_of

Folder = Annotated[Path, typer.Argument(help="The folder to plan.", exists=True, file_okay=False)]


def plan(
    path: Folder = Path(),
    only: Annotated[bool, typer.Option("--dockerfile", help="Only print the Dockerfile.")] = False,
) -> None:
    """Show how a folder would be built. Nothing is built, and no platform is asked."""
    from barque.plans.preview import preview  # noqa: PLC0415 - a client needs no server

    said = preview(path)
    if run.json:
        show(said)
        return
    reasons = said["plan"]["reasons"] if said["plan"] else ["found a Dockerfile: it is built by it"]
    processes = [f"{kind}: {run or 'as the image says'}" for kind, run in said["processes"].items()]
    if not only:
        for line in (*reasons, *processes):
            hint(line)
        hint("")
    typer.echo(said["dockerfile"], nl=False)


group = Group("List and make what images are built upon without a Dockerfile.")


@group.alone
@group.add("list")
def list_base_images() -> None:
    """List the base images, and whether the engine has them."""
    from barque.bases.command import listing  # noqa: PLC0415 - a client needs no server

    rows = asyncio.run(listing(settings_of()))
    show(rows, ("name", "run", "build", "state", "size"))


@group.add("build")
def build_base_images(
    names: Annotated[
        list[str] | None, typer.Argument(help="python:3.13, node:20 ...; else one of each.")
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Make anew what is there.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show every step.")] = False,
) -> None:
    """Make base images from Debian's packages, without an image registry."""
    from barque.bases.command import build  # noqa: PLC0415 - a client needs no server

    asyncio.run(build(settings_of(), names or [], say, verbose=verbose, fresh=fresh))


def add_to(app: Group) -> None:
    """Add the commands."""
    app.add("plan", "Deploy")(plan)
    app.add_typer(group, name="base-images", rich_help_panel="Operate")
