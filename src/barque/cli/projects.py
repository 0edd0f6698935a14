"""Commands about projects."""

from typing import Annotated

import typer

from barque.cli.app import Group
from barque.cli.context import client, org_at, project_at
from barque.cli.orgs import PANEL
from barque.cli.output import describe, given, show, told
from barque.cli.parameters import AnOrg, AProject, Cascade, LinkedOrg, LinkedProject, NewName, Slug

group = Group("List, make, show, change and delete projects.")
_COLUMNS = ("slug", "name", "created")


@group.alone
@group.add("list")
def list_projects(org: LinkedOrg = None) -> None:
    """List the projects of an organization."""
    empty = "no projects yet: 'barque projects create ORG NAME' makes one"
    show(org_at(org).projects(), _COLUMNS, empty)


@group.add("create")
def create(
    org: AnOrg, name: Annotated[str, typer.Argument(help="What it is called.")], slug: Slug = None
) -> None:
    """Make a project."""
    show(client().org(org).create_project(name=name, **given(slug=slug)), _COLUMNS)


@group.add("show")
def show_project(project: LinkedProject = None) -> None:
    """Show a project."""
    describe(project_at(project).get())


@group.add("set")
def change(name: NewName, project: LinkedProject = None) -> None:
    """Rename a project; its slug stays."""
    show(project_at(project).update(name=name), _COLUMNS)


@group.add("delete")
def delete(project: AProject, cascade: Cascade = False) -> None:
    """Delete a project."""
    client().project(project).delete(cascade=cascade)
    told(f"{project} is deleted", deleted=project)


def add_to(app: Group) -> None:
    """Add the commands."""
    app.add_typer(group, name="projects", rich_help_panel=PANEL)
