"""The command that replaces the master key."""

import asyncio

import typer

from barque.cli.context import fail, out
from barque.cli.system import DataDir, settings_of

keys = typer.Typer(help="Replace the platform's master key.", no_args_is_help=True)


@keys.callback()
def bare() -> None:
    """Keep `rotate` a command of its own: a group of one would be that one."""


@keys.command("rotate")
def rotate(data_dir: DataDir = None) -> None:
    """Have every organization's key sealed by a new master key, while the platform is stopped."""
    from barque.accounts import rotation  # noqa: PLC0415 - a client needs no server
    from barque.store.unavailable import StoreUnavailable  # noqa: PLC0415
    from barque.vault import VaultError  # noqa: PLC0415

    try:
        count = asyncio.run(rotation.rotate(settings_of(data_dir=data_dir)))
    except (rotation.RotationRefused, StoreUnavailable, VaultError) as error:
        fail(str(error))
    out.print(f"the keys of {count} organizations are sealed by a new master key")
    out.print("take a backup now: those from before hold the old key, and open with it still")


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(keys, name="keys")
