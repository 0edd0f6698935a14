"""The command that says what is wrong with an installation."""

import asyncio
from dataclasses import asdict

import typer

from barque.cli.context import out, show
from barque.cli.system import AppsPort, DataDir, Host, Json, Port, settings_of

_SIGNS = {"ok": "ok     ", "warning": "WARNING", "problem": "PROBLEM"}


def doctor(
    data_dir: DataDir = None, host: Host = None, port: Port = None, apps_port: AppsPort = None,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Say what is wrong with this installation, and how to mend it; 1 if there is a problem."""
    from barque.doctor.examining import examine  # noqa: PLC0415 - a client needs no server

    settings = settings_of(data_dir=data_dir, host=host, port=port, apps_port=apps_port)
    found = asyncio.run(examine(settings))
    if as_json:
        show([asdict(one) for one in found], (), as_json)
    for one in () if as_json else found:
        out.print(f"{_SIGNS[one.verdict]}  {one.name}: {one.seen}", markup=False, soft_wrap=True)
        if one.mend is not None:
            out.print(f"         -> {one.mend}", markup=False, soft_wrap=True)
    raise typer.Exit(any(one.verdict == "problem" for one in found))


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(doctor)
