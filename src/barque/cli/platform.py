"""Commands about the platform that one is signed in to."""

import json

import typer

from barque.cli.app import Group
from barque.cli.context import client
from barque.cli.exits import fail
from barque.cli.output import describe, run, show

PANEL = "Operate"


def health() -> None:
    """Tell whether the platform, its database, engine and router answer."""
    found = client().ready()
    describe(found)
    if found["status"] != "ok":
        fail("not all that it needs answers: see 'docker info', and what 'barque serve' logged")


def metrics() -> None:
    """Print counts and times of the platform, for Prometheus."""
    text = client().metrics()
    typer.echo(json.dumps({"text": text}) if run.json else text, nl=run.json)


def platforms() -> None:
    """List the names of platforms, with what they are bound to."""
    show(client().platforms(), ("name", "bound", "driver", "cpus", "memory_mb"))


def openapi() -> None:
    """Print the OpenAPI document of the platform."""
    typer.echo(json.dumps(client().openapi(), indent=None if run.json else 2))


def add_to(app: Group) -> None:
    """Add the commands."""
    for command in (health, metrics, platforms, openapi):
        app.add(command.__name__, PANEL)(command)
