"""Commands about what opens private repositories."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from barque.cli.context import client, err, out, show
from barque.cli.system import Json

git_credentials = typer.Typer(help="List, add and remove what opens private repositories.")

Org = Annotated[str, typer.Argument(help="The organization.")]
_COLUMNS = ("name", "kind", "host", "repository", "username")


@git_credentials.command("list")
def list_credentials(org: Org, as_json: Json = False) -> None:
    """List an organization's git credentials, without their values."""
    show(client().org(org).git_credentials(), _COLUMNS, as_json)


@git_credentials.command("add")
def add(
    org: Org,
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
    as_json: Json = False,
) -> None:
    """Add a token, asked for unless it comes from a file or pipe, or a deploy key."""
    value = _value(ssh_key, value_file)
    more = {"value": value, "repository": repository, "username": username}
    given: dict[str, Any] = {field: one for field, one in more.items() if one is not None}
    made = (
        client()
        .org(org)
        .add_git_credential(name=name, kind="ssh_key" if ssh_key else "token", host=host, **given)
    )
    if as_json or not ssh_key:
        show(made, _COLUMNS, as_json)
        return
    err.print(f"give {host} this deploy key, to read with:", markup=False, soft_wrap=True)
    typer.echo(made["public_key"])


@git_credentials.command("remove")
def remove(org: Org, name: str) -> None:
    """Delete a git credential."""
    client().org(org).remove_git_credential(name)
    out.print(f"{name} is deleted")


def _value(ssh_key: bool, file: Path | None) -> str | None:
    if file is not None:
        return file.read_text()
    if ssh_key:
        return None
    if sys.stdin.isatty():
        return str(typer.prompt("Token", hide_input=True))
    return sys.stdin.readline().strip()


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(git_credentials, name="git-credentials")
