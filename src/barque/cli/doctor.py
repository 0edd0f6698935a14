"""The command that says what is wrong with an installation."""

import asyncio
from dataclasses import asdict

import typer

from barque.cli.app import Group
from barque.cli.output import run, say, show
from barque.cli.platform import PANEL
from barque.cli.server import AppsPort, DataDir, Host, Port, settings_of

_SIGNS = {"ok": "ok     ", "warning": "WARNING", "problem": "PROBLEM"}


def doctor(
    data_dir: DataDir = None, host: Host = None, port: Port = None, apps_port: AppsPort = None
) -> None:
    """Say what is wrong with this installation, and how to mend it; 1 if there is a problem."""
    from barque.doctor.examining import examine  # noqa: PLC0415 - a client needs no server

    settings = settings_of(data_dir=data_dir, host=host, port=port, apps_port=apps_port)
    found = asyncio.run(examine(settings))
    if run.json:
        show([asdict(one) for one in found])
    for one in () if run.json else found:
        say(f"{_SIGNS[one.verdict]}  {one.name}: {one.seen}")
        if one.mend is not None:
            say(f"         -> {one.mend}")
    raise typer.Exit(any(one.verdict == "problem" for one in found))


def add_to(app: Group) -> None:
    """Add the command."""
    app.add("doctor", PANEL)(doctor)
