"""The data dir: rights, and room on its disk."""

import os
import shutil
import stat
from pathlib import Path

from barque.doctor.check import Check, Seen, Site, ok, problem, warning
from barque.settings import MEBIBYTE

# Below the first, SQLite and builds soon fail; below the second, a build or two may fill it.
_FULL, _SCARCE = 256 * MEBIBYTE, 2048 * MEBIBYTE
_FULL_INODES, _SCARCE_INODES = 0.01, 0.05
_FREE = "docker image prune, or move other files to another disk"


async def _rights(site: Site) -> Seen:
    folder = site.settings.data_dir
    if not folder.exists():
        return warning(f"there is no data dir {folder} yet", "barque serve  (it makes one)")
    if not folder.is_dir():
        return problem(f"{folder} is no folder", "set BARQUE_DATA_DIR to a folder")
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        return problem(
            f"the data dir {folder} may not be written to",
            f"run this as its owner, or: chown -R $(id -un) {folder}",
        )
    mode = stat.S_IMODE(folder.stat().st_mode)
    if mode & 0o022:
        return problem(
            f"the data dir {folder} may be written to by others (mode {mode:o})",
            f"chmod 700 {folder}",
        )
    return ok(f"the data dir {folder} is in order")


async def _foreign(site: Site) -> Seen | None:
    """Look for files that the platform cannot write, such as those of a start as another user."""
    files = [site.settings.data_dir / name for name in ("barque.db", "logs.db", "workflows.db")]
    if not any(file.exists() for file in files):
        return None
    if closed := [file for file in files if file.exists() and not os.access(file, os.W_OK)]:
        return problem(
            f"{closed[0]} may not be written to", f"chown $(id -un) {' '.join(map(str, closed))}"
        )
    return ok("its files may be written to")


async def _admin_key(site: Site) -> Seen | None:
    file = site.settings.admin_key_file
    if file.exists() and (mode := stat.S_IMODE(file.stat().st_mode)) & 0o077:
        return problem(
            f"the administrator's key {file} is open to others (mode {mode:o})",
            f"chmod 600 {file}, and make another key if others were there",
        )
    return ok("the administrator's key is private") if file.exists() else None


async def _restored(site: Site) -> Seen | None:
    left = site.settings.data_dir / "restore.part"
    if left.exists():
        return problem(
            f"a restore was cut off, and left {left}", "barque restore --force FILE, once more"
        )
    return None


async def _disk(site: Site) -> Seen:
    place = _existing(site.settings.data_dir)
    room = shutil.disk_usage(place)
    seen = f"{room.free / 1e9:.1f} GB of {room.total / 1e9:.1f} GB are free at {place}"
    if room.free < _FULL:
        return problem(f"the disk is full: {seen}", _FREE)
    if room.free < _SCARCE:
        return warning(f"the disk is nearly full: {seen}", _FREE)
    return ok(seen)


async def _inodes(site: Site) -> Seen | None:
    place = _existing(site.settings.data_dir)
    found = os.statvfs(place)
    if found.f_files == 0:
        # Some file systems have no fixed number of them.
        return None
    free = found.f_favail / found.f_files
    seen = f"{free:.0%} of the inodes are free at {place}"
    if free < _FULL_INODES:
        return problem(f"there is no room for more files: {seen}", _FREE)
    if free < _SCARCE_INODES:
        return warning(f"there is little room for more files: {seen}", _FREE)
    return ok(seen)


def _existing(path: Path) -> Path:
    return next(one for one in (path, *path.parents) if one.exists())


CHECKS = (
    Check("data dir", _rights),
    Check("files", _foreign),
    Check("administrator's key", _admin_key),
    Check("restore", _restored),
    Check("disk", _disk),
    Check("inodes", _inodes),
)
