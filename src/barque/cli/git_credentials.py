"""Commands about what opens private repositories."""

from pathlib import Path
from typing import Annotated, Any

import typer

from barque.cli.app import Group
from barque.cli.context import client, org_at
from barque.cli.output import given, hint, run, show, told
from barque.cli.parameters import AnOrg, LinkedOrg
from barque.cli.secrets import secret

group = Group("List, add and remove what opens private repositories.")
_COLUMNS = ("name", "kind", "host", "repository", "username")


@group.alone
@group.add("list")
def list_credentials(org: LinkedOrg = None) -> None:
    """List an organization's git credentials, without their values."""
    empty = "no git credentials yet: 'barque git-credentials add ORG NAME' adds one"
    show(org_at(org).git_credentials(), _COLUMNS, empty)


@group.add("add")
def add(
    org: AnOrg,
    name: Annotated[str, typer.Argument(help="What it is called.")],
    host: Annotated[str, typer.Option(help="Where the repositories are.")] = "github.com",
    ssh_key: Annotated[
        bool, typer.Option("--ssh-key", help="A deploy key, made unless one is given.")
    ] = False,
    value_file: Annotated[
        Path | None, typer.Option(help="A file that holds the token or private key.")
    ] = None,
    repository: Annotated[str | None, typer.Option(help="Only for this one: owner/name.")] = None,
    username: Annotated[str | None, typer.Option(help="Whose it is there.")] = None,
) -> None:
    """Add a token, asked for unless it comes from a file or pipe, or a deploy key."""
    kind = "ssh_key" if ssh_key else "token"
    fields: dict[str, Any] = given(
        name=name, kind=kind, host=host, value=_value(ssh_key, value_file), repository=repository,
        username=username,
    )  # fmt: skip
    made = client().org(org).add_git_credential(**fields)
    if run.json or not ssh_key:
        show(made, _COLUMNS)
        return
    hint(f"give {host} this deploy key, to read with:")
    typer.echo(made["public_key"])


@group.add("remove")
def remove(org: AnOrg, name: Annotated[str, typer.Argument(help="Its name or id.")]) -> None:
    """Delete a git credential."""
    client().org(org).remove_git_credential(name)
    told(f"{name} is deleted", deleted=name)


def _value(ssh_key: bool, file: Path | None) -> str | None:
    if file is not None:
        return file.read_text()
    return None if ssh_key else secret("Token")


def add_to(app: Group) -> None:
    """Add the commands."""
    app.add_typer(group, name="git-credentials", rich_help_panel="Configure")
