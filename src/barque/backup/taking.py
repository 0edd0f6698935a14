"""Taking a backup, while the platform runs or not."""

import asyncio
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, create_engine

from barque.backup import archive, layout, postgresql, sqlite
from barque.backup.images import save_images, wanted_images
from barque.backup.manifest import BackupError, Manifest
from barque.pushes.repositories import GitFailed, Repositories
from barque.settings import MEBIBYTE, Settings
from barque.store.database import Database
from barque.store.tables import now
from barque.store.unavailable import StoreUnavailable
from barque.vault import Vault, keep_master_key, load_master_key


async def take(
    settings: Settings, path: Path, passphrase: str | None, *, images: bool = False
) -> Manifest:
    """Write all that the installation keeps to `path`, as it is at one moment.

    With `images`, also those of what is live and of what a rollback goes back to. Raises
    `BackupError` and `OSError`.
    """
    database = Database(settings.store_url)
    try:
        revision = await _revision(settings, database)
        with layout.workplace(settings, "backup.part") as folder:
            copied = await asyncio.to_thread(_copy_data, settings, database, folder)
            vault = Vault(load_master_key(settings.master_key_file, settings.secret_key))
            manifest = Manifest(
                made=now(), kind="sqlite" if database.exclusive else "postgresql",
                revision=revision, platform=vault.identity(), tables=copied.tables,
                settings=_variables(), heads=await _bundle(settings, folder),
            )  # fmt: skip
            _copy_files(settings, folder)
            if images:
                await save_images(settings, copied.images, folder / layout.IMAGES)
            await asyncio.to_thread(archive.write, folder, manifest, path, passphrase)
            return manifest
    finally:
        await database.close()


async def _revision(settings: Settings, database: Database) -> str:
    file = database.file
    missing = "the master key" if not _has_key(settings) else "a database"
    if not _has_key(settings) or (file is not None and not file.exists()):
        raise BackupError(f"{settings.data_dir} has not {missing}: name the platform's --data-dir")
    try:
        revision = await database.revision()
    except StoreUnavailable as error:
        raise BackupError(f"the database does not answer: {error}: see 'barque doctor'") from error
    if revision is None:
        raise BackupError("the database has no tables yet: start 'barque serve' once")
    return revision


def _has_key(settings: Settings) -> bool:
    return settings.secret_key is not None or settings.master_key_file.exists()


@dataclass(frozen=True, slots=True)
class _Copied:
    """The columns of tables that were copied one by one, and the images that all of it needs."""

    tables: dict[str, list[str]]
    images: list[str]


def _copy_data(settings: Settings, database: Database, folder: Path) -> _Copied:
    """Copy the database and, as they are at the same moment, what waits to be built."""

    def link_uploads() -> None:
        # A link holds what is removed meanwhile, and takes no time.
        for upload in (settings.data_dir / layout.UPLOADS).glob("*.tar"):
            os.link(upload, folder / layout.UPLOADS / upload.name)

    (folder / layout.UPLOADS).mkdir()
    if database.file is not None:
        copied = _copy_file(database.file, folder / layout.DATABASE, link_uploads)
    else:
        copied = _copy_tables(settings.workflow_url, folder / layout.TABLES, link_uploads)
    logs = settings.data_dir / layout.LOGS
    if logs.exists():
        sqlite.copy(logs, folder / layout.LOGS)
    return copied


def _copy_file(source: Path, target: Path, meanwhile: Callable[[], None]) -> _Copied:
    sqlite.copy(source, target, meanwhile)
    engine = create_engine(f"sqlite:///{target}")
    try:
        with engine.connect() as connection:
            return _Copied({}, wanted_images(connection))
    finally:
        engine.dispose()


def _copy_tables(url: str, folder: Path, meanwhile: Callable[[], None]) -> _Copied:
    images: list[str] = []

    def look(connection: Connection) -> None:
        meanwhile()
        images.extend(wanted_images(connection))

    folder.mkdir()
    return _Copied(postgresql.dump(url, folder, look), images)


async def _bundle(settings: Settings, folder: Path) -> dict[str, str]:
    """Write each service's repository to a file, and return what their HEADs are."""
    repositories = Repositories(
        settings.data_dir / layout.REPOSITORIES, settings.upload_mb * MEBIBYTE
    )
    heads: dict[str, str] = {}
    (folder / layout.REPOSITORIES).mkdir()
    for service_id in sorted(repositories.present()):
        source = repositories.folder / f"{service_id}.git"
        file = folder / layout.REPOSITORIES / f"{service_id}.bundle"
        try:
            head = await repositories.bundle(source, file)
        except GitFailed as error:
            if not source.exists():
                # Its service was deleted meanwhile.
                continue
            raise BackupError(f"the repository {source} cannot be copied: {error}") from error
        if head is not None:
            heads[service_id] = head
    return heads


def _copy_files(settings: Settings, folder: Path) -> None:
    key = load_master_key(settings.master_key_file, settings.secret_key)
    keep_master_key(folder / layout.KEY, key)
    for name in (layout.ADMIN_KEY, layout.KNOWN_HOSTS):
        if (settings.data_dir / name).exists():
            shutil.copyfile(settings.data_dir / name, folder / name)
    for name in layout.NAMED_FILES:
        source: Path | None = getattr(settings, name)
        if source is not None and source.exists():
            (folder / layout.NAMED).mkdir(exist_ok=True)
            shutil.copyfile(source, folder / layout.NAMED / name)


def _variables() -> dict[str, str]:
    """Return the settings that were made, but for what names a place or is kept as a file."""
    left_out = {"data_dir", "secret_key"}
    names = {f"BARQUE_{name}".upper() for name in Settings.model_fields if name not in left_out}
    return {name: value for name, value in os.environ.items() if name in names}
