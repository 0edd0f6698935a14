"""Commands about the platform itself: serve, down, login, whoami, link."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from barque.cli.context import LINK, client, err, out, save_credentials, show
from barque.client import Client

if TYPE_CHECKING:
    from barque.settings import Settings

Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
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
    from barque.serve import run  # noqa: PLC0415 - a client needs no server

    run(settings_of(data_dir=data_dir, host=host, port=port, apps_port=apps_port))


def down(data_dir: DataDir = None, apps_port: AppsPort = None) -> None:
    """Stop the platform, its router, and every container."""
    from barque.serve import down as stop  # noqa: PLC0415 - a client needs no server

    stop(settings_of(data_dir=data_dir, apps_port=apps_port))


def login(
    url: str,
    key_file: Annotated[Path | None, typer.Option(help="A file that holds the API key.")] = None,
) -> None:
    """Remember a platform and an API key, asked for unless it comes from a file or pipe."""
    if key_file is not None:
        key = key_file.read_text().strip()
    elif sys.stdin.isatty():
        key = typer.prompt("API key", hide_input=True)
    else:
        key = sys.stdin.readline().strip()
    who = Client(url, key).whoami()
    save_credentials(url, key)
    err.print(f"logged in to {url} as {who['email']}")


def whoami(as_json: Json = False) -> None:
    """Show who is calling."""
    show(client().whoami(), ("email", "scope", "org_id"), as_json)


def link(address: Annotated[str, typer.Argument(help="org/project/env/service")]) -> None:
    """Remember the service of this folder."""
    client().service(address).get()
    Path(LINK).write_text(f"{address}\n")
    out.print(f"this folder is {address} now")


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (serve, down, login, whoami, link):
        app.command()(command)
