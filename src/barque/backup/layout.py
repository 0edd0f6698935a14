"""Where everything is: in a data dir, and in a backup of it."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from barque.backup.manifest import BackupError
from barque.settings import Settings

# In the backup, and in the data dir: the same names.
DATABASE, TABLES, LOGS = "barque.db", "tables", "logs.db"
KEY, ADMIN_KEY, KNOWN_HOSTS = "secret.key", "admin.key", "known_hosts"
UPLOADS, REPOSITORIES = "uploads", "git"
# What settings name that is elsewhere is kept beside the rest.
NAMED, VARIABLES = "settings", "settings.env"
IMAGES = "images.tar"
NAMED_FILES = ("ca_bundle", "github_app_private_key_file")

# What is noted of durable work is left out: every row that has not ended is begun again at the
# start, unless notes of another moment say that it has.
_NOTES = "workflows.db"
_SQLITE = ("", "-wal", "-shm")
OF_THE_PLATFORM = (
    KEY, ADMIN_KEY, KNOWN_HOSTS, UPLOADS, REPOSITORIES, NAMED, VARIABLES,
    *(file + part for file in (DATABASE, LOGS, _NOTES) for part in _SQLITE),
)  # fmt: skip


@contextmanager
def workplace(settings: Settings, name: str) -> Iterator[Path]:
    """Give an empty folder in the data dir, which is gone at the end; one at a time may have one.

    Raises `BackupError`.
    """
    folder = settings.data_dir / name
    lock = os.open(settings.data_dir / "backup.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise BackupError("another backup or restore is at work: wait for its end") from None
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(lock)
