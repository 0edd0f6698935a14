"""The commands that take an installation's backup, and put it back."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

from barque.cli.app import Group
from barque.cli.exits import Exit, fail
from barque.cli.output import hint, told
from barque.cli.platform import PANEL
from barque.cli.server import DataDir, settings_of

_LEAST = 12
PassphraseFile = Annotated[
    Path | None, typer.Option(help="A file that holds the passphrase; - for standard input.")
]


def backup(
    file: Annotated[Path, typer.Argument(help="What to write; it is replaced as a whole.")],
    data_dir: DataDir = None,
    passphrase_file: PassphraseFile = None,
    images: Annotated[
        bool, typer.Option("--images", help="With the images of what is live, and of rollbacks.")
    ] = False,
) -> None:
    """Write all that this installation keeps to one file, while it runs."""
    from barque.backup.manifest import BackupError  # noqa: PLC0415 - a client needs no server
    from barque.backup.taking import take  # noqa: PLC0415

    passphrase = _passphrase(passphrase_file)
    if passphrase is not None and len(passphrase) < _LEAST:
        fail(f"the passphrase must have at least {_LEAST} characters", Exit.USAGE)
    try:
        made = asyncio.run(take(settings_of(data_dir=data_dir), file, passphrase, images=images))
    except BackupError as error:
        fail(str(error))
    size, moment = file.stat().st_size / 1e6, f"{made.made:%Y-%m-%d %H:%M:%S} UTC"
    said = f"{file} holds the installation as of {moment} ({size:.1f} MB)"
    told(said, file=str(file), made=made.made.isoformat(), revision=made.revision)
    if passphrase is None:
        hint(
            "barque: it holds the master key, so that whoever reads it reads every secret: keep it "
            "as you keep the platform, or seal it with --passphrase-file"
        )


def restore(
    file: Annotated[Path, typer.Argument(help="What 'barque backup' wrote.")],
    data_dir: DataDir = None,
    passphrase_file: PassphraseFile = None,
    force: Annotated[
        bool, typer.Option("--force", help="Put aside what is in the data dir already.")
    ] = False,
) -> None:
    """Put a backup back, where the platform does not run; then start it."""
    from barque.backup.cipher import Unsealable  # noqa: PLC0415 - a client needs no server
    from barque.backup.manifest import BackupError  # noqa: PLC0415
    from barque.backup.restoring import restore as put_back  # noqa: PLC0415

    settings, passphrase = settings_of(data_dir=data_dir), _passphrase(passphrase_file)
    try:
        found = asyncio.run(put_back(settings, file, passphrase, force=force))
    except (BackupError, Unsealable) as error:
        fail(str(error))
    told(
        f"{settings.data_dir} is as it was at {found.made:%Y-%m-%d %H:%M:%S} UTC\n"
        f"the settings of then are in {settings.data_dir}/settings.env: make those of now agree\n"
        "start the platform with 'barque serve', then see 'barque doctor'",
        data_dir=str(settings.data_dir), made=found.made.isoformat(),
    )  # fmt: skip


def _passphrase(file: Path | None) -> str | None:
    if file is None:
        return None
    text = sys.stdin.readline() if file == Path("-") else file.read_text()
    if not (passphrase := text.rstrip("\r\n")):
        fail("the passphrase is empty", Exit.USAGE)
    return passphrase


def add_to(app: Group) -> None:
    """Add the commands."""
    for command in (backup, restore):
        app.add(command.__name__, PANEL)(command)
