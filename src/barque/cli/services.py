"""Commands about services as such; what is done with one is in other modules."""

import webbrowser
from typing import Annotated, Any, Literal

import typer

from barque.cli.app import Group
from barque.cli.context import client, env_at, service_at
from barque.cli.orgs import PANEL
from barque.cli.output import describe, given, run, show, told
from barque.cli.parameters import AnEnv, AService, At, LinkedEnv, LinkedService, Name, Slug

group = Group("List, make, show, change and delete services.")
Platform = Literal["wind", "steam", "diesel", "stirling", "nuclear", "electric"]
Where = Annotated[Platform, typer.Option(help="Where it is to run.")]
NewWhere = Annotated[Platform | None, typer.Option(help="Where it is to run.")]
Repository = Annotated[str | None, typer.Option(help="The repository: owner/name.")]
Image = Annotated[str | None, typer.Option(help="An image instead of a repository: nginx:1.27.")]
Health = Annotated[str | None, typer.Option("--health-check-path", help="Where to ask for health.")]
Branch = Annotated[
    str | None, typer.Option("--auto-deploy-branch", help="Deploy its pushes; '' is none.")
]
Timeout = Annotated[int | None, typer.Option("--deployment-timeout", help="Seconds.")]
Dockerfile = Annotated[str | None, typer.Option(help="Its path; else a plan is made.")]
Root = Annotated[str | None, typer.Option("--root-directory", help="The folder; '' is the whole.")]
Watch = Annotated[
    list[str] | None, typer.Option("--watch-path", help="Build what a push changes there, or all.")
]
Order = Annotated[
    Literal["start-first", "stop-first"] | None,
    typer.Option("--update-order", help="Whether new workers start, or old ones stop, first."),
]
_COLUMNS = ("slug", "platform", "github_repository", "process_counts")
_SERVICE = (*_COLUMNS, "url")
# What '' takes away.
_NULLABLE = ("auto_deploy_branch", "root_directory")


def _fields(**options: Any) -> dict[str, Any]:
    fields = given(**options)
    return {name: None if name in _NULLABLE and not one else one for name, one in fields.items()}


@group.alone
@group.add("list")
def list_services(env: LinkedEnv = None) -> None:
    """List the services of an environment."""
    empty = "no services yet: 'barque services create ORG/PROJECT/ENV NAME' makes one"
    show(env_at(env).services(), _COLUMNS, empty)


@group.add("create")
def create(
    env: AnEnv, name: Annotated[str, typer.Argument(help="What it is called.")],
    slug: Slug = None, platform: Where = "wind", repository: Repository = None,
    image: Image = None, health: Health = None, branch: Branch = None, timeout: Timeout = None,
    dockerfile: Dockerfile = None, root: Root = None, watch: Watch = None, order: Order = None,
) -> None:  # fmt: skip
    """Make a service."""
    fields = _fields(
        name=name, slug=slug, platform=platform, github_repository=repository,
        image_reference=image, health_check_path=health, auto_deploy_branch=branch,
        deployment_timeout=timeout, dockerfile=dockerfile, root_directory=root,
        watch_paths=watch or None, update_order=order,
    )  # fmt: skip
    show(client().env(env).create_service(**fields), _SERVICE)


@group.add("show")
def show_service(service: LinkedService = None) -> None:
    """Show a service."""
    describe(service_at(service).get())


@group.add("set")
def change(
    service: LinkedService = None, name: Name = None,
    platform: NewWhere = None,
    repository: Repository = None, image: Image = None, health: Health = None,
    branch: Branch = None, timeout: Timeout = None, dockerfile: Dockerfile = None,
    root: Root = None, watch: Watch = None, order: Order = None,
) -> None:  # fmt: skip
    """Change a service; its slug stays."""
    fields = _fields(
        name=name, platform=platform, github_repository=repository, image_reference=image,
        health_check_path=health, auto_deploy_branch=branch, deployment_timeout=timeout,
        dockerfile=dockerfile, root_directory=root, watch_paths=watch or None, update_order=order,
    )  # fmt: skip
    # One takes the place of the other.
    if image and not repository:
        fields["github_repository"] = None
    if repository and not image:
        fields["image_reference"] = None
    show(service_at(service).update(**fields), _SERVICE)


@group.add("delete")
def delete(service: AService) -> None:
    """Delete a service, and all that runs of it."""
    client().service(service).delete()
    told(f"{service} is deleted", deleted=service)


def open_service(at: At = None) -> None:
    """Print the service's address, and open it where there is a browser."""
    url = service_at(at).get()["url"]
    told(url, url=url)
    if not run.json:
        webbrowser.open(url)


def lock(
    reason: Annotated[str, typer.Argument(help="Why nothing may be deployed.")], at: At = None
) -> None:
    """Stop deployments of a service until it is unlocked."""
    show(service_at(at).lock(reason), ("slug", "locked_by", "lock_reason"))


def unlock(at: At = None) -> None:
    """Let a service be deployed again."""
    show(service_at(at).unlock(), ("slug", "locked_by", "lock_reason"))


def add_to(app: Group) -> None:
    """Add the commands."""
    app.add_typer(group, name="services", rich_help_panel=PANEL)
    app.add("open", "Run")(open_service)
    app.add("lock", "Deploy")(lock)
    app.add("unlock", "Deploy")(unlock)
