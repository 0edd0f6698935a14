"""Putting a backup back, where no platform runs."""

import asyncio
import os
import shlex
import shutil
from collections.abc import Mapping
from pathlib import Path

from barque.backup import archive, layout, postgresql
from barque.backup.images import load_images
from barque.backup.manifest import BackupError, Manifest
from barque.pushes.repositories import GitFailed, Repositories
from barque.running import running
from barque.settings import MEBIBYTE, Settings
from barque.store.database import Database
from barque.store.migrations.upgrade import newest
from barque.store.tables import now
from barque.vault import load_master_key, write_private


async def restore(
    settings: Settings, path: Path, passphrase: str | None, *, force: bool = False
) -> Manifest:
    """Put a backup into the data dir and the database of the settings.

    Everything is unpacked and checked before anything is changed. With `force`, what was there is
    put aside. Raises `BackupError`, `Unsealable` and `OSError`.
    """
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    _check_target(settings, force=force)
    with layout.workplace(settings, "restore.part") as folder:
        manifest = await asyncio.to_thread(archive.read, path, folder, passphrase)
        _check(settings, manifest, folder)
        await _unbundle(settings, folder, manifest.heads)
        _write_settings(settings, folder, manifest.settings)
        if (folder / layout.IMAGES).exists():
            await load_images(settings, folder / layout.IMAGES)
        if manifest.kind == "postgresql":
            await asyncio.to_thread(
                postgresql.load,
                settings.workflow_url,
                folder / layout.TABLES,
                manifest,
                force=force,
            )
        _move_in(settings, folder)
    return manifest


def _check_target(settings: Settings, *, force: bool) -> None:
    pid = running(settings)
    if pid is not None:
        raise BackupError(
            f"the platform runs on {settings.data_dir}: stop it first (kill {pid}); what is live "
            "serves on meanwhile"
        )
    present = [one for one in layout.OF_THE_PLATFORM if (settings.data_dir / one).exists()]
    if present and not force:
        raise BackupError(
            f"{settings.data_dir} is not empty (it has {present[0]}): name another --data-dir, or "
            "--force, which puts aside what is there"
        )


def _check(settings: Settings, manifest: Manifest, folder: Path) -> None:
    """See that this installation can use the backup. Raises `BackupError`."""
    if manifest.revision > newest():
        raise BackupError(
            f"the backup is at revision {manifest.revision}, and this version of Barque knows "
            f"{newest()} at most: restore it with Barque {manifest.version} or later"
        )
    here = "sqlite" if settings.store_url.startswith("sqlite") else "postgresql"
    if manifest.kind != here:
        raise BackupError(
            f"the backup is of a {manifest.kind} database, and BARQUE_DATABASE_URL names a {here} "
            "one: change that setting"
        )
    key = load_master_key(folder / layout.KEY, None)
    if settings.secret_key is not None and load_master_key(Path(), settings.secret_key) != key:
        raise BackupError(
            "BARQUE_SECRET_KEY is not the master key of the backup, which holds the right one: "
            "unset it, or set it to what it was"
        )


async def _unbundle(settings: Settings, folder: Path, heads: Mapping[str, str]) -> None:
    bundles = folder / layout.REPOSITORIES
    repositories = Repositories(bundles, settings.upload_mb * MEBIBYTE)
    for service_id, head in heads.items():
        bundle = bundles / f"{service_id}.bundle"
        try:
            await repositories.unbundle(service_id, bundle, head)
        except GitFailed as error:
            raise BackupError(f"the repository of {service_id} cannot be made: {error}") from error
        bundle.unlink()


def _write_settings(settings: Settings, folder: Path, variables: Mapping[str, str]) -> None:
    """Write the settings of then for people to compare: they are not in force by themselves."""
    moved = {
        f"BARQUE_{name}".upper(): str(settings.data_dir / layout.NAMED / name)
        for name in layout.NAMED_FILES
        if (folder / layout.NAMED / name).exists()
    }
    lines = (f"{name}={shlex.quote(value)}\n" for name, value in {**variables, **moved}.items())
    write_private(folder / layout.VARIABLES, "".join(lines).encode())


def _move_in(settings: Settings, folder: Path) -> None:
    """Put aside what is there, and the new in its place: the database last of all."""
    aside = settings.data_dir / f"before-restore-{now():%Y%m%dT%H%M%S}"
    database = Database(settings.store_url).file
    for name in layout.OF_THE_PLATFORM:
        _move(settings.data_dir / name, aside / name)
    for name in layout.OF_THE_PLATFORM:
        if name != layout.DATABASE:
            _move(folder / name, settings.data_dir / name)
    if database is not None:
        _move(database, aside / database.name)
        _move(folder / layout.DATABASE, database)
    handle = os.open(settings.data_dir, os.O_RDONLY)
    os.fsync(handle)
    os.close(handle)


def _move(source: Path, target: Path) -> None:
    if source.exists():
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        shutil.move(source, target)
