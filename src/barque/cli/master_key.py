"""The command that replaces the master key."""

import asyncio

from barque.cli.app import Group
from barque.cli.exits import fail
from barque.cli.output import told
from barque.cli.platform import PANEL
from barque.cli.server import DataDir, settings_of

group = Group("Replace the key that seals all secrets.")


@group.add("rotate")
def rotate(data_dir: DataDir = None) -> None:
    """Have every organization's key sealed by a new master key, while the platform is stopped."""
    from barque.accounts import rotation  # noqa: PLC0415 - a client needs no server
    from barque.store.unavailable import StoreUnavailable  # noqa: PLC0415
    from barque.vault import VaultError  # noqa: PLC0415

    try:
        count = asyncio.run(rotation.rotate(settings_of(data_dir=data_dir)))
    except (rotation.RotationRefused, StoreUnavailable, VaultError) as error:
        fail(str(error))
    told(
        f"the keys of {count} organizations are sealed by a new master key\n"
        "take a backup now: those from before hold the old key, and open with it still",
        organizations=count,
    )


def bare() -> None:
    """Keep `rotate` a command of its own: a group of one would be that one."""


def add_to(app: Group) -> None:
    """Add the commands."""
    group.callback()(bare)
    app.add_typer(group, name="master-key", rich_help_panel=PANEL)
