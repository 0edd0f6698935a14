"""Commands about the releases of a service."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from barque.cli.app import Group
from barque.cli.context import service_at
from barque.cli.deploying import PANEL
from barque.cli.output import describe, hint, run, show
from barque.cli.parameters import At

group = Group("List, show and compare releases: an image and config, frozen.")
Version = Annotated[int, typer.Argument(help="The release's version.")]
# What is the same of two releases that differ in nothing; the rest says when and which they are.
_COMPARED = ("platform", "commit_sha", "health_check_path")


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
    service = service_at(at)
    rows = differences(service.release(older), service.release(newer))
    columns = ("what", "change", str(older), str(newer))
    show(rows if run.json else [_labelled(row, older, newer) for row in rows], columns,
         f"releases {older} and {newer} are the same")  # fmt: skip


def _labelled(row: Mapping[str, Any], older: int, newer: int) -> dict[str, Any]:
    return {**row, str(older): row["from"], str(newer): row["to"]}


def differences(older: Mapping[str, Any], newer: Mapping[str, Any]) -> list[dict[str, Any]]:
    """List what differs between two releases, each with what it was and what it is."""
    before = {name: older[name] for name in _COMPARED}
    after = {name: newer[name] for name in _COMPARED}
    before["image"], after["image"] = older["image"]["version"], newer["image"]["version"]
    before |= {f"process {kind}": command for kind, command in older["processes"].items()}
    after |= {f"process {kind}": command for kind, command in newer["processes"].items()}
    before |= _config(older)
    after |= _config(newer)
    return [
        {"what": name, "change": _change(before, after, name), "from": before.get(name),
         "to": after.get(name)}
        for name in sorted(before.keys() | after.keys())
        if name not in before or name not in after or before[name] != after[name]
    ]  # fmt: skip


def _config(release: Mapping[str, Any]) -> dict[str, str]:
    # Values are not shown; equal ones have equal fingerprints.
    return {
        f"config {one['name']}": f"{one['fingerprint'][:12]} ({one['scope']})"
        for one in release["config_snapshot"]
    }


def _change(before: Mapping[str, Any], after: Mapping[str, Any], name: str) -> str:
    if name not in before:
        return "added"
    return "changed" if name in after else "removed"


def add_to(app: Group) -> None:
    """Add the commands."""
    app.add_typer(group, name="releases", rich_help_panel=PANEL)
