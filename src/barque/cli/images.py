"""Commands about the images of a service."""

from itertools import islice
from typing import Annotated

import typer

from barque.cli.app import Group
from barque.cli.context import service_at
from barque.cli.deploying import PANEL
from barque.cli.output import describe, run, show, told
from barque.cli.parameters import At, Follow, Limit
from barque.cli.progress import follow_build

group = Group("List, show and cancel the builds of a service, and what they wrote.")
Version = Annotated[int, typer.Argument(help="The image's version.")]


@group.alone
@group.add("list")
def list_images(at: At = None, limit: Limit = 20) -> None:
    """List the newest images."""
    rows = list(islice(service_at(at).images(per_page=min(limit, 100)), limit))
    columns = ("version", "status", "source", "ref", "commit_sha", "created")
    show(rows, columns, "no images yet: 'barque build' builds one")


@group.add("show")
def show_image(version: Version, at: At = None) -> None:
    """Show an image: what it was built from, and how."""
    describe(service_at(at).image(version))


@group.add("logs")
def logs(version: Version, at: At = None, follow: Follow = False) -> None:
    """Show what a build wrote."""
    service = service_at(at)
    if follow:
        image = follow_build(service, version)
        if run.json:
            show(image)
        return
    log = service.build_log(version)
    if run.json:
        show(log)
    else:
        typer.echo(log["log_text"], nl=False)


@group.add("cancel")
def cancel(version: Version, at: At = None) -> None:
    """Cancel a build that has not ended."""
    image = service_at(at).cancel_build(version)
    told(f"image {version} is being cancelled", **image)


def add_to(app: Group) -> None:
    """Add the commands."""
    app.add_typer(group, name="images", rich_help_panel=PANEL)
