"""Commands that serve the platform itself: serve, down."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from barque.cli.app import Group
from barque.cli.output import run, show
from barque.cli.platform import PANEL

if TYPE_CHECKING:
    from barque.settings import Settings

DataDir = Annotated[Path | None, typer.Option(help="Where everything is kept.")]
Host = Annotated[str | None, typer.Option(help="The address of the API.")]
Port = Annotated[int | None, typer.Option(help="The port of the API.")]
AppsPort = Annotated[int | None, typer.Option(help="The port of the router.")]


def settings_of(**options: Any) -> "Settings":
    """Return the platform's settings, with the options that were given."""
    from barque.settings import Settings  # noqa: PLC0415 - a client needs no server

    return Settings(**{name: value for name, value in options.items() if value is not None})


def serve(
    data_dir: DataDir = None, host: Host = None, port: Port = None, apps_port: AppsPort = None
) -> None:
    """Start the platform, in the foreground."""
    from barque.serve import run as serve_platform  # noqa: PLC0415 - a client needs no server

    serve_platform(settings_of(data_dir=data_dir, host=host, port=port, apps_port=apps_port))


def down(data_dir: DataDir = None, apps_port: AppsPort = None) -> None:
    """Stop the platform, its router, and every container."""
    from barque.serve import down as stop  # noqa: PLC0415 - a client needs no server

    stop(settings_of(data_dir=data_dir, apps_port=apps_port))
    if run.json:
        show({"stopped": True})


def add_to(app: Group) -> None:
    """Add the commands."""
    # It ends with the platform: there is nothing to print.
    app.command(rich_help_panel=PANEL)(serve)
    app.add("down", PANEL)(down)
