"""Commands about organizations."""

from typing import Annotated

import typer

from barque.cli.app import Group
from barque.cli.context import client
from barque.cli.output import describe, given, show, told
from barque.cli.parameters import Cascade, Slug, address

PANEL = "What you own"
group = Group("List, make, show, change and delete organizations.")
Address = Annotated[str, address(1, "The organization.")]
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
def show_org(org: Address) -> None:
    """Show an organization."""
    describe(client().org(org).get())


@group.add("set")
def change(org: Address, name: Annotated[str, typer.Option(help="A new name.")]) -> None:
    """Rename an organization; its slug stays."""
    show(client().org(org).update(name=name), _COLUMNS)


@group.add("delete")
def delete(org: Address, cascade: Cascade = False) -> None:
    """Delete an organization."""
    client().org(org).delete(cascade=cascade)
    told(f"{org} is deleted", deleted=org)


def add_to(app: Group) -> None:
    """Add the commands."""
    app.add_typer(group, name="orgs", rich_help_panel=PANEL)
