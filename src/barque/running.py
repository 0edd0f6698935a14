"""Which process is the platform of a data dir, if one is."""

import contextlib
import fcntl
import os
import time
from pathlib import Path

from barque.settings import Settings

_TRIES = 20


class AlreadyRunning(OSError):
    """Another process is the platform of this data dir."""


def announce(settings: Settings) -> None:
    """Be the platform of a data dir until this process ends, and note the engine that it uses.

    Raises `AlreadyRunning`.
    """
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    # It stays open: the lock on it ends with the process, however that ends.
    file = os.open(_pid_file(settings), os.O_RDWR | os.O_CREAT, 0o644)
    if not _locked(file):
        raise AlreadyRunning(
            f"the platform of {settings.data_dir} runs already, as process {running(settings)}: "
            "stop it first ('barque down', or its own service), or name another --data-dir"
        )
    os.truncate(file, 0)
    os.write(file, str(os.getpid()).encode())
    settings.engine_file.write_text(settings.engine)


def running(settings: Settings) -> int | None:
    """Return the process of the platform, if it is one."""
    with contextlib.suppress(OSError, ValueError), _pid_file(settings).open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return int(file.read())
    return None


def _locked(file: int) -> bool:
    """Lock a file; who looks whether a platform runs has it locked for a moment."""
    for _ in range(_TRIES):
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        time.sleep(0.1)
    return False


def _pid_file(settings: Settings) -> Path:
    return settings.data_dir / "serve.pid"
