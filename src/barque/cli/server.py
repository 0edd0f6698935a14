"""Commands that serve the platform itself: serve, down."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from barque.cli.app import Group
from barque.cli.exits import Exit, fail
from barque.cli.output import told
from barque.cli.platform import PANEL

if TYPE_CHECKING:
    from barque.settings import Settings

DataDir = Annotated[Path | None, typer.Option(help="Where everything is kept.")]
Host = Annotated[str | None, typer.Option(help="The address of the API.")]
Port = Annotated[int | None, typer.Option(help="The port of the API.")]
AppsPort = Annotated[int | None, typer.Option(help="The port of the router.")]


def settings_of(**options: Any) -> "Settings":
    """Return the platform's settings, with the options that were given.

    One that is wrong is named without its value, which may be a secret.
    """
    from pydantic import ValidationError  # noqa: PLC0415 - a client needs no server

    from barque.settings import Settings  # noqa: PLC0415

    try:
        return Settings(**{name: value for name, value in options.items() if value is not None})
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        wrong = "".join(f"\n  {_variable(one['loc'])}{one['msg']}" for one in found)
        fail(f"a setting is wrong (docs/settings.md has them all):{wrong}", Exit.USAGE)


def _variable(place: tuple[str | int, ...]) -> str:
    field, *inside = map(str, place) if place else ("",)
    return ".".join([f"BARQUE_{field.upper()}", *inside]) + ": " if field else ""


def serve(
    data_dir: DataDir = None, host: Host = None, port: Port = None, apps_port: AppsPort = None
) -> None:
    """Start the platform, in the foreground."""
    from barque.serve import run as serve_platform  # noqa: PLC0415 - a client needs no server

    serve_platform(settings_of(data_dir=data_dir, host=host, port=port, apps_port=apps_port))


def down(data_dir: DataDir = None, apps_port: AppsPort = None) -> None:
    """Stop the platform, its router, and every container."""
    from barque.runtimes.port import RuntimeUnavailable  # noqa: PLC0415 - a client needs no server
    from barque.serve import down as stop  # noqa: PLC0415

    try:
        stop(settings_of(data_dir=data_dir, apps_port=apps_port))
    except RuntimeUnavailable as error:
        fail(f"{error}; the containers run on: start it, or set DOCKER_HOST to where it is")
    told(
        "the platform, its router and every container are stopped: 'barque serve' brings them back",
        stopped=True,
    )


def add_to(app: Group) -> None:
    """Add the commands."""
    # It ends with the platform: there is nothing to print.
    app.command(rich_help_panel=PANEL)(serve)
    app.add("down", PANEL)(down)
