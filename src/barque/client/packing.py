"""Packing a folder for its upload: what Git would take, without what Docker would not."""

import os
import shutil
import subprocess
import tarfile
import tempfile
import threading
from collections.abc import Iterator
from gzip import GzipFile
from pathlib import Path
from typing import BinaryIO

from barque.dockerignore import dockerignore

_CHUNK = 64 * 1024
# Kept whatever a .dockerignore says: the platform reads it before there is a build.
_ALWAYS = ("Procfile", ".dockerignore")
# The platform's own: its data, with keys in it, and the note of which service a folder is.
_NEVER = (".barque", ".barque-link", ".git")
_LEVEL = 5


class CannotPack(ValueError):
    """The folder cannot be packed; the message says why, and what to do next."""


def listed(folder: Path, root_directory: str | None, dockerfile: str) -> list[str]:
    """List what is uploaded of a folder, by paths within it, sorted.

    That is what `git ls-files` knows or would add, also where the folder is no repository, less
    what the `.dockerignore` of the folder that is built leaves out. Raises `CannotPack`.
    """
    if not folder.is_dir():
        raise CannotPack(f"there is no folder {folder}")
    found = sorted(set(_git_files(folder)))
    root = f"{root_directory}/" if root_directory else ""
    text = _ignore_file(folder / root, dockerfile)
    if text is None:
        return found
    ignored = dockerignore(text)
    always = {f"{root}{name}" for name in (*_ALWAYS, dockerfile, f"{dockerfile}.dockerignore")}
    return [
        path
        for path in found
        if path in always or not path.startswith(root) or not ignored(path.removeprefix(root))
    ]


def _ignore_file(context: Path, dockerfile: str) -> str | None:
    for name in (f"{dockerfile}.dockerignore", ".dockerignore"):
        if (context / name).is_file():
            return (context / name).read_text(errors="replace")
    return None


def _git_files(folder: Path) -> Iterator[str]:
    """List files and links; a repository within (a submodule, say) is looked into as well."""
    for path in _ls_files(folder):
        there = folder / path
        if path.split("/")[0] in _NEVER:
            continue
        if there.is_dir() and not there.is_symlink():
            yield from (f"{path.rstrip('/')}/{one}" for one in _git_files(there))
        elif os.path.lexists(there):
            yield path


def _ls_files(folder: Path) -> list[str]:
    if shutil.which("git") is None:
        raise CannotPack("git is needed to tell what .gitignore leaves out: install it")
    listing = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    inside = _git(folder, "rev-parse", "--is-inside-work-tree")
    if inside.returncode == 0:
        done = _git(folder, *listing)
    else:
        # No repository: an empty one elsewhere reads the .gitignore files just as well.
        with tempfile.TemporaryDirectory() as empty:
            _git(folder, "init", "-q", "--bare", empty)
            done = _git(folder, f"--git-dir={empty}", f"--work-tree={folder.resolve()}", *listing)
    if done.returncode != 0:
        said = os.fsdecode(done.stderr).strip().splitlines() or ["no reason"]
        raise CannotPack(f"git could not list {folder}: {said[-1]}")
    return [os.fsdecode(path) for path in done.stdout.split(b"\0") if path]


def _git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    # Another repository that the caller is at work in (within a hook, say) is not meant.
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    settings = ["-c", "safe.directory=*", "-c", "core.fsmonitor=false"]
    return subprocess.run(
        ["git", *settings, "-C", str(folder), *arguments],
        env={**environment, "LC_ALL": "C"}, capture_output=True, check=False,
    )  # fmt: skip


def packed(folder: Path, paths: list[str]) -> Iterator[bytes]:
    """Pack files and links of a folder, piece by piece, as a tar archive compressed with gzip.

    Nobody's name, group or clock gets into it. Raises `CannotPack` when something changes
    meanwhile, or is neither file nor link.
    """
    reading, writing = os.pipe()
    failed: list[Exception] = []

    def work() -> None:
        try:
            with open(writing, "wb") as pipe:  # noqa: PTH123 - it is a descriptor
                _write(pipe, folder, paths)
        except BrokenPipeError:
            pass  # Whoever read has had enough.
        except (OSError, ValueError) as error:
            failed.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    with open(reading, "rb", buffering=0) as pipe:  # noqa: PTH123 - it is a descriptor
        while chunk := pipe.read(_CHUNK):
            yield chunk
    thread.join()
    if failed:
        raise CannotPack(f"the folder could not be packed: {failed[0]}: try again")


def _write(pipe: BinaryIO, folder: Path, paths: list[str]) -> None:
    with (
        GzipFile(fileobj=pipe, mode="wb", compresslevel=_LEVEL, mtime=0) as packing,
        tarfile.open(fileobj=packing, mode="w|", format=tarfile.PAX_FORMAT) as archive,
    ):
        for path in paths:
            _add(archive, folder / path, path)


def _add(archive: tarfile.TarFile, there: Path, path: str) -> None:
    info = tarfile.TarInfo(path)
    if there.is_symlink():
        info.type, info.linkname = tarfile.SYMTYPE, os.readlink(there)  # noqa: PTH115 - as it is
        archive.addfile(info)
        return
    if not there.is_file():
        raise CannotPack(f"{path} is neither a file nor a link: leave it out with .gitignore")
    with there.open("rb") as file:
        status = os.fstat(file.fileno())
        info.size, info.mode = status.st_size, 0o755 if status.st_mode & 0o100 else 0o644
        archive.addfile(info, file)
