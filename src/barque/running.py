"""Which process is the platform of a data dir, if one is."""

import contextlib
import os
from pathlib import Path

from barque.settings import Settings


def announce(settings: Settings) -> None:
    """Say that this process is the platform."""
    _pid_file(settings).write_text(str(os.getpid()))


def running(settings: Settings) -> int | None:
    """Return the process of the platform, if it is one."""
    with contextlib.suppress(OSError, ValueError):
        pid = int(_pid_file(settings).read_text())
        # A number that was given to another process since must not be signalled.
        if b"barque" in Path(f"/proc/{pid}/cmdline").read_bytes():
            return pid
    return None


def _pid_file(settings: Settings) -> Path:
    return settings.data_dir / "serve.pid"
