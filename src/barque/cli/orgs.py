"""Commands about organizations."""

from typing import Annotated

import typer

from barque.cli.app import Group
from barque.cli.context import client, org_at
from barque.cli.output import describe, given, show, told
from barque.cli.parameters import AnOrg, Cascade, LinkedOrg, NewName, Slug

PANEL = "What you own"
group = Group("List, make, show, change and delete organizations.")
_COLUMNS = ("slug", "name", "created")


@group.alone
@group.add("list")
def list_orgs() -> None:
    """List the organizations that you are a member of."""
    show(client().orgs(), _COLUMNS, "no organizations yet: 'barque orgs create NAME' makes one")


@group.add("create")
def create(
    name: Annotated[str, typer.Argument(help="What it is called.")], slug: Slug = None
) -> None:
    """Make an organization, of which you are admin."""
    show(client().create_org(name=name, **given(slug=slug)), _COLUMNS)


@group.add("show")
def show_org(org: LinkedOrg = None) -> None:
    """Show an organization."""
    describe(org_at(org).get())


@group.add("set")
def change(name: NewName, org: LinkedOrg = None) -> None:
    """Rename an organization; its slug stays."""
    show(org_at(org).update(name=name), _COLUMNS)


@group.add("delete")
def delete(org: AnOrg, cascade: Cascade = False) -> None:
    """Delete an organization."""
    client().org(org).delete(cascade=cascade)
    told(f"{org} is deleted", deleted=org)


def add_to(app: Group) -> None:
    """Add the commands."""
    app.add_typer(group, name="orgs", rich_help_panel=PANEL)
