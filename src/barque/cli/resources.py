"""Commands about what people own: orgs, projects, environments, services, config."""

from pathlib import Path
from typing import Annotated, Any

import typer

from barque.cli.context import address_of, children, client, create, fail, out, show
from barque.cli.system import Json

Parent = Annotated[str, typer.Argument(help="What holds it: org, org/project, ...")]
Address = Annotated[str, typer.Argument(help="org/project/env/service, as far as needed")]
At = Annotated[
    str | None, typer.Option("--at", "-s", help="org[/project[/env[/service]]], or the linked one")
]
Cascade = Annotated[bool, typer.Option(help="Delete what it holds, too.")]


def _group(name: str, plural: str, columns: tuple[str, ...], rooted: bool) -> typer.Typer:
    """Make the commands that all four kinds have: list, create, show, delete."""
    group = typer.Typer(help=f"List, make, show and delete {plural}.")
    depth = ("org", "project", "environment", "service").index(name)

    @group.callback(invoke_without_command=True)
    def bare(context: typer.Context, as_json: Json = False) -> None:
        if context.invoked_subcommand is None:
            parent = "/".join(address_of(None).split("/")[:depth]) if depth else ""
            show(children(parent), columns, as_json)

    def list_them(parent: Parent = "", as_json: Json = False) -> None:
        show(children(parent), columns, as_json)

    def make(parent: Parent, label: str, as_json: Json = False) -> None:
        show(create(parent, name=label), columns, as_json)

    def create_root(label: str, as_json: Json = False) -> None:
        make("", label, as_json)

    def show_one(address: Address, as_json: Json = False) -> None:
        found = client().at(address).get()
        show(found, tuple(found), as_json)

    def delete(address: Address, cascade: Cascade = False) -> None:
        client().at(address).delete(cascade=cascade)
        out.print(f"{address} is deleted")

    group.command("list", help=f"List {plural}.")(list_them)
    group.command("show", help=f"Show one {name}.")(show_one)
    group.command("delete", help=f"Delete one {name}.")(delete)
    if name == "service":
        group.command("create", help="Make a service.")(_create_service)
        group.command("set", help="Change a service.")(_set_service)
    else:
        group.command("create", help=f"Make one {name}.")(create_root if rooted else make)
    return group


Platform = Annotated[str, typer.Option(help="wind, steam, diesel, stirling, nuclear or electric.")]
Repository = Annotated[str | None, typer.Option(help="The repository: owner/name.")]
Image = Annotated[str | None, typer.Option(help="An image instead of a repository: nginx:1.27.")]
Health = Annotated[str | None, typer.Option("--health-check-path", help="Where to ask for health.")]
Branch = Annotated[str | None, typer.Option("--auto-deploy-branch", help="Deploy its pushes.")]
Timeout = Annotated[int | None, typer.Option("--deployment-timeout", help="Seconds.")]
Dockerfile = Annotated[str | None, typer.Option(help="Its path; else a plan is made.")]
Root = Annotated[str | None, typer.Option("--root-directory", help="The folder to build.")]
Watch = Annotated[
    list[str] | None, typer.Option("--watch-path", help="Build what a push changes there, or all.")
]
_SERVICE = ("slug", "platform", "github_repository", "process_counts", "url")


def _fields(**options: Any) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def _create_service(
    env: Parent, name: str, platform: Platform = "wind", repository: Repository = None,
    image: Image = None, health: Health = None, branch: Branch = None, timeout: Timeout = None,
    dockerfile: Dockerfile = None, root: Root = None, watch: Watch = None, as_json: Json = False,
) -> None:  # fmt: skip
    fields = _fields(
        name=name, platform=platform, github_repository=repository, image_reference=image,
        health_check_path=health, auto_deploy_branch=branch, deployment_timeout=timeout,
        dockerfile=dockerfile, root_directory=root, watch_paths=watch,
    )  # fmt: skip
    show(create(env, **fields), _SERVICE, as_json)


def _set_service(
    address: Address, name: Annotated[str | None, typer.Option()] = None,
    platform: Annotated[str | None, typer.Option()] = None, repository: Repository = None,
    image: Image = None, health: Health = None, branch: Branch = None, timeout: Timeout = None,
    dockerfile: Dockerfile = None, root: Root = None, watch: Watch = None, as_json: Json = False,
) -> None:  # fmt: skip
    fields = _fields(
        name=name, platform=platform, github_repository=repository, image_reference=image,
        health_check_path=health, auto_deploy_branch=branch, deployment_timeout=timeout,
        dockerfile=dockerfile, root_directory=root, watch_paths=watch,
    )  # fmt: skip
    # One takes the place of the other.
    if image and not repository:
        fields["github_repository"] = None
    if repository and not image:
        fields["image_reference"] = None
    show(client().service(address).update(**fields), _SERVICE, as_json)


config = typer.Typer(help="Show and set config, at any of the four levels.")
Secret = Annotated[bool, typer.Option("--secret", help="Never show the values again.")]
Buildtime = Annotated[bool, typer.Option("--buildtime", help="Offer them to builds, too.")]


@config.callback(invoke_without_command=True)
def bare_config(context: typer.Context) -> None:
    """List the config of the linked service, unless a command says otherwise."""
    if context.invoked_subcommand is None:
        list_config()


@config.command("list")
def list_config(at: At = None, as_json: Json = False) -> None:
    """List the config of one level."""
    columns = ("name", "value", "secret", "buildtime")
    show(client().at(address_of(at)).config(), columns, as_json)


@config.command("resolved")
def resolved(at: At = None, as_json: Json = False) -> None:
    """Show the merged config of a service."""
    found = client().service(address_of(at)).resolved_config()
    show(found, ("name", "value", "scope", "overrides"), as_json)


@config.command("set")
def set_config(
    pairs: Annotated[list[str], typer.Argument(help="NAME=value ...")],
    at: At = None, secret: Secret = False, buildtime: Buildtime = False, as_json: Json = False,
) -> None:  # fmt: skip
    """Set config variables, all or nothing."""
    if wrong := [pair for pair in pairs if "=" not in pair]:
        fail(f"'{wrong[0]}' is not NAME=value", 2)
    values = dict(pair.split("=", 1) for pair in pairs)
    said = client().at(address_of(at)).set_config(values, secret=secret, buildtime=buildtime)
    show(said, tuple(said), as_json)


@config.command("import")
def import_config(file: Path, at: At = None, secret: Secret = False, as_json: Json = False) -> None:
    """Set config variables from a dotenv file, all or nothing."""
    said = client().at(address_of(at)).import_config(file.read_text(), secret=secret)
    show(said, tuple(said), as_json)


@config.command("unset")
def unset(names: list[str], at: At = None) -> None:
    """Delete config variables."""
    for name in names:
        try:
            client().at(address_of(at)).unset_config(name)
        except KeyError:
            fail(f"{name} is not set there")


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    own = ("slug", "name", "created")
    kinds: tuple[tuple[str, str, tuple[str, ...]], ...] = (
        ("org", "orgs", own), ("project", "projects", own),
        ("environment", "envs", ("slug", "name", "env_type", "protected")),
        ("service", "services", ("slug", "platform", "github_repository", "process_counts")),
    )  # fmt: skip
    for name, plural, columns in kinds:
        app.add_typer(_group(name, plural, columns, rooted=name == "org"), name=plural)
    app.add_typer(config, name="config")
