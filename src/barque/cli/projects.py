"""Commands about projects."""

from typing import Annotated

import typer

from barque.cli.app import Group
from barque.cli.context import client, org_at
from barque.cli.orgs import PANEL
from barque.cli.output import describe, given, show, told
from barque.cli.parameters import Cascade, Slug, address

group = Group("List, make, show, change and delete projects.")
Parent = Annotated[str, address(1, "The organization.")]
Linked = Annotated[str | None, address(1, "The organization, or the linked one.")]
Address = Annotated[str, address(2, "The project.")]
_COLUMNS = ("slug", "name", "created")


@group.alone
@group.add("list")
def list_projects(org: Linked = None) -> None:
    """List the projects of an organization."""
    empty = "no projects yet: 'barque projects create ORG NAME' makes one"
    show(org_at(org).projects(), _COLUMNS, empty)


@group.add("create")
def create(
    org: Parent, name: Annotated[str, typer.Argument(help="What it is called.")], slug: Slug = None
) -> None:
    """Make a project."""
    show(client().org(org).create_project(name=name, **given(slug=slug)), _COLUMNS)


@group.add("show")
def show_project(project: Address) -> None:
    """Show a project."""
    describe(client().project(project).get())


@group.add("set")
def change(project: Address, name: Annotated[str, typer.Option(help="A new name.")]) -> None:
    """Rename a project; its slug stays."""
    show(client().project(project).update(name=name), _COLUMNS)


@group.add("delete")
def delete(project: Address, cascade: Cascade = False) -> None:
    """Delete a project."""
    client().project(project).delete(cascade=cascade)
    told(f"{project} is deleted", deleted=project)


def add_to(app: Group) -> None:
    """Add the commands."""
    app.add_typer(group, name="projects", rich_help_panel=PANEL)
