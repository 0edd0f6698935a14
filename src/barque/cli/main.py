"""The program, of its groups of commands."""

import sys
from typing import Annotated

import typer
from typer.completion import completion_init  # type: ignore[attr-defined]
from typer.main import get_command

from barque import __version__
from barque.cli import (
    account,
    audit,
    backup,
    config,
    context_commands,
    deploying,
    deployments,
    doctor,
    envs,
    git,
    git_credentials,
    help,
    images,
    keys,
    master_key,
    members,
    orgs,
    pipeline,
    plans,
    platform,
    processes,
    projects,
    releases,
    server,
    services,
    shells,
    webhooks,
)
from barque.cli.app import Group, InContext, Json
from barque.cli.exits import sentences
from barque.cli.output import run

app = Group(
    "A deploy you can trust.", name="barque", add_completion=False, pretty_exceptions_enable=False
)
for module in (
    deploying, services, releases, deployments, images, pipeline, plans, git, processes, config,
    webhooks, git_credentials, orgs, projects, envs, members, keys, audit, account,
    context_commands, shells, help, server, doctor, backup, master_key, platform,
):  # fmt: skip
    module.add_to(app)


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"barque {__version__}")
        raise typer.Exit


@app.callback()
def barque(
    as_json: Json = False,
    context: InContext = None,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """A deploy you can trust."""
    run.note(as_json, context)


program = get_command(app)
completion_init()


def main() -> None:
    """Run the program."""
    with sentences():
        # On its own, it would say what was written wrongly in a way of its own.
        sys.exit(program.main(prog_name="barque", standalone_mode=False))
