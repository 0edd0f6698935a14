"""Commands about environments."""

from typing import Annotated, Any, Literal

import typer

from barque.cli.app import Group
from barque.cli.context import client, env_at, project_at
from barque.cli.orgs import PANEL
from barque.cli.output import describe, given, show, told
from barque.cli.parameters import AnEnv, AProject, Cascade, LinkedEnv, LinkedProject, Name, Slug

group = Group("List, make, show, change and delete environments.")
Kind = Annotated[
    Literal["production", "staging", "development", "preview"] | None,
    typer.Option("--type", help="What it is for."),
]
Protected = Annotated[
    bool | None,
    typer.Option("--protected/--unprotected", help="Whether only an admin may deploy there."),
]
Branch = Annotated[
    str | None, typer.Option("--auto-deploy-branch", help="Deploy its pushes; '' is none.")
]
Previews = Annotated[
    bool | None,
    typer.Option("--previews/--no-previews", help="Whether pull requests get one like it."),
]
Forks = Annotated[
    bool | None,
    typer.Option(
        "--previews-from-forks/--no-previews-from-forks", help="Whether those of forks do, too."
    ),
]
Ephemeral = Annotated[
    bool | None, typer.Option("--ephemeral/--lasting", help="Whether it is to go again.")
]
_COLUMNS = ("slug", "name", "env_type", "protected")


def _fields(branch: str | None, **options: Any) -> dict[str, Any]:
    fields = given(**options)
    if branch is not None:
        fields["auto_deploy_branch"] = branch or None
    return fields


@group.alone
@group.add("list")
def list_envs(project: LinkedProject = None) -> None:
    """List the environments of a project."""
    empty = "no environments yet: 'barque envs create ORG/PROJECT NAME' makes one"
    show(project_at(project).envs(), _COLUMNS, empty)


@group.add("create")
def create(
    project: AProject, name: Annotated[str, typer.Argument(help="What it is called.")],
    slug: Slug = None, kind: Kind = None, protected: Protected = None, branch: Branch = None,
    ephemeral: Ephemeral = None, previews: Previews = None, forks: Forks = None,
) -> None:  # fmt: skip
    """Make an environment."""
    fields = _fields(
        branch, name=name, slug=slug, env_type=kind, protected=protected, ephemeral=ephemeral,
        previews=previews, previews_from_forks=forks,
    )  # fmt: skip
    show(client().project(project).create_env(**fields), _COLUMNS)


@group.add("show")
def show_env(env: LinkedEnv = None) -> None:
    """Show an environment."""
    describe(env_at(env).get())


@group.add("set")
def change(
    env: LinkedEnv = None, name: Name = None, kind: Kind = None, protected: Protected = None,
    branch: Branch = None, ephemeral: Ephemeral = None, previews: Previews = None,
    forks: Forks = None,
) -> None:  # fmt: skip
    """Change an environment; its slug stays."""
    fields = _fields(
        branch, name=name, env_type=kind, protected=protected, ephemeral=ephemeral,
        previews=previews, previews_from_forks=forks,
    )  # fmt: skip
    show(env_at(env).update(**fields), _COLUMNS)


@group.add("delete")
def delete(env: AnEnv, cascade: Cascade = False) -> None:
    """Delete an environment."""
    client().env(env).delete(cascade=cascade)
    told(f"{env} is deleted", deleted=env)


def add_to(app: Group) -> None:
    """Add the commands."""
    app.add_typer(group, name="envs", rich_help_panel=PANEL)
