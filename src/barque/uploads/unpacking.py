"""Unpacking an archive into a folder of its own, and never a byte outside it."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from barque.uploads.archive import Bounds, Entry, entries
from barque.uploads.names import ArchiveError

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def check(file: BinaryIO, bounds: Bounds) -> None:
    """Read an archive to its end, and write nothing. Raises `ArchiveError`."""
    for _ in entries(file, bounds):
        pass


def unpack(file: BinaryIO, into: Path, bounds: Bounds) -> None:
    """Unpack an archive into `into`, which is made. Raises `ArchiveError`; the rest stays there.

    Symbolic links are made last: while files are written, there is no link to write through. Of a
    file's mode only its owner's right to execute it is kept, and of owners and times nothing.
    """
    try:
        into.mkdir(parents=True)
        links = list(_written(entries(file, bounds), into))
        for entry in links:
            (into / entry.name).symlink_to(entry.target)
    except OSError as error:
        raise ArchiveError(_explained(error)) from None


def _written(found: Iterator[Entry], root: Path) -> Iterator[Entry]:
    """Write files and folders, and return the links."""
    for entry in found:
        path = root / entry.name
        if entry.kind == "link":
            yield entry
        elif entry.kind == "folder":
            path.mkdir()
        elif entry.kind == "twin":
            path.hardlink_to(root / entry.target)
        else:
            mode = 0o755 if entry.executable else 0o644
            with os.fdopen(os.open(path, _NEW, mode), "wb") as file:
                for chunk in entry.data:
                    file.write(chunk)


def _explained(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "the disk is full: free some space, then build again"
    return f"the source could not be unpacked ({error.strerror or error}): build again"
