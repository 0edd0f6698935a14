"""Commands about API keys."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import typer

from barque.cli.app import Group
from barque.cli.completion import addresses
from barque.cli.context import client
from barque.cli.moments import span
from barque.cli.orgs import PANEL
from barque.cli.output import describe, given, hint, run, show, told

group = Group("List, make and revoke your API keys.")
Scope = Annotated[
    Literal["read", "deploy", "admin"] | None, typer.Option(help="What it opens; else all.")
]
_MADE = ("name", "scope", "expires_at", "key")
_COLUMNS = ("id", "name", "prefix", "scope", "expires_at", "revoked_at", "created")


@group.alone
@group.add("list")
def list_keys() -> None:
    """List your API keys, without the keys themselves."""
    show(client().api_keys(), _COLUMNS)


@group.add("create")
def create(
    name: Annotated[str, typer.Argument(help="What it is for.")],
    scope: Scope = None,
    org: Annotated[
        str | None,
        typer.Option("--org", "-o", help="Only for this org.", autocompletion=addresses(1)),
    ] = None,
    user: Annotated[str | None, typer.Option(help="For this member of the org.")] = None,
    expires: Annotated[
        str | None, typer.Option(help="After 90d, 12h ..., or at a moment (RFC 3339).")
    ] = None,
    rate_limit: Annotated[
        int | None, typer.Option(min=0, help="Requests a minute; 0 is no limit.")
    ] = None,
) -> None:
    """Make an API key, and print it, this once."""
    fields: dict[str, Any] = given(
        name=name, scope=scope, org=org, user=user, expires_at=_expiry(expires),
        rate_limit=rate_limit,
    )  # fmt: skip
    made = client().create_api_key(**fields)
    if not run.json:
        hint("the key is shown this once: keep it where only you can read it")
    describe(made, _MADE)


def _expiry(said: str | None) -> str | None:
    length = span(said)
    return (datetime.now(UTC) + length).isoformat() if length is not None else said


@group.add("revoke")
def revoke(key: Annotated[str, typer.Argument(help="The key's id.")]) -> None:
    """Revoke one of your API keys; it opens nothing from now on."""
    client().revoke_api_key(key)
    told(f"{key} is revoked", revoked=key)


def add_to(app: Group) -> None:
    """Add the commands."""
    app.add_typer(group, name="keys", rich_help_panel=PANEL)
