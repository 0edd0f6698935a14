"""Commands about the releases of a service."""

from typing import Annotated

import typer

from barque.cli.app import Group
from barque.cli.context import service_at
from barque.cli.deploying import PANEL
from barque.cli.differences import show_differences
from barque.cli.output import describe, hint, run, show
from barque.cli.parameters import At

group = Group("List, show and compare releases: an image and config, frozen.")
Version = Annotated[int, typer.Argument(help="The release's version.")]


@group.alone
@group.add("list")
def list_releases(at: At = None) -> None:
    """List the newest releases."""
    empty = "no releases yet: 'barque deploy' makes one"
    show(service_at(at).releases(), ("version", "status", "commit_sha", "created"), empty)


@group.add("show")
def show_release(version: Version, at: At = None) -> None:
    """Show a release: its image, its config by name, and what is new in it."""
    release = service_at(at).release(version)
    if run.json:
        show(release)
        return
    describe({name: one for name, one in release.items() if name != "config_snapshot"})
    if release["config_snapshot"]:
        hint("")
        show(list(release["config_snapshot"]), ("name", "scope", "secret", "fingerprint"))


@group.add("log")
def log(version: Version, at: At = None) -> None:
    """Show what a release was made of, and what its release command wrote."""
    found = service_at(at).release_log(version)
    if run.json:
        show(found)
    else:
        typer.echo(found["log_text"], nl=False)


@group.add("diff")
def diff(older: Version, newer: Version, at: At = None) -> None:
    """Show what differs between two releases; of config, by name alone."""
    found = service_at(at).release_diff(newer, older)
    show_differences(found, f"releases {older} and {newer} are the same")


def add_to(app: Group) -> None:
    """Add the commands."""
    app.add_typer(group, name="releases", rich_help_panel=PANEL)
