"""Commands about the deployments of a service."""

from itertools import islice
from typing import Annotated

import typer

from barque.cli.app import Group
from barque.cli.context import service_at
from barque.cli.deploying import PANEL
from barque.cli.exits import Exit, fail
from barque.cli.output import cell, describe, hint, run, show, told
from barque.cli.parameters import At, Follow, Limit
from barque.cli.progress import follow_deployment
from barque.client import Blocking, Service

group = Group("List, show, follow and cancel the deployments of a service.")
Id = Annotated[str | None, typer.Argument(help="The deployment's id; else the newest.")]

_NONE = "no deployments yet: 'barque deploy' makes one"


def _id(service: Service[Blocking], given: str | None) -> str:
    if given is not None:
        return given
    newest = next(service.deployments(per_page=1), None)
    if newest is None:
        fail(_NONE, Exit.NOT_FOUND)
    return newest["id"]


@group.alone
@group.add("list")
def list_deployments(at: At = None, limit: Limit = 20) -> None:
    """List the newest deployments."""
    rows = list(islice(service_at(at).deployments(per_page=min(limit, 100)), limit))
    columns = ("id", "status", "trigger", "actor", "created")
    show(rows, columns, _NONE)


@group.add("show")
def show_deployment(deployment: Id = None, at: At = None) -> None:
    """Show a deployment, step by step."""
    service = service_at(at)
    row = service.deployment(_id(service, deployment))
    if run.json:
        show(row)
        return
    describe({name: cell(one) for name, one in row.items() if name != "steps"})
    hint("")
    show(list(row["steps"]), ("name", "started", "finished", "message"))


@group.add("logs")
def logs(deployment: Id = None, at: At = None, follow: Follow = False) -> None:
    """Show what a deployment said."""
    service = service_at(at)
    chosen = _id(service, deployment)
    if follow:
        row = follow_deployment(service, chosen)
        if run.json:
            show(row)
        return
    log = service.deployment_log(chosen)
    if run.json:
        show(log)
    else:
        typer.echo(log["log_text"], nl=False)


@group.add("cancel")
def cancel(deployment: Id = None, at: At = None) -> None:
    """Cancel a deployment that has not switched yet; what is live stays."""
    service = service_at(at)
    row = service.cancel(_id(service, deployment))
    told(f"deployment {row['id']} is being cancelled", **row)


def add_to(app: Group) -> None:
    """Add the commands."""
    app.add_typer(group, name="deployments", rich_help_panel=PANEL)
