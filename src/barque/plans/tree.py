"""Reading a work tree that nobody vouches for: never out of it, never much, never without end."""

import json
import os
import re
import stat
import tomllib
from collections.abc import Iterator
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

from barque.plans.plan import PlanError

_FILE_LIMIT = 1024 * 1024
_PATHS_LIMIT = 5000
_ENTRIES_LIMIT = 50_000
_DEPTH_LIMIT = 4
_SKIPPED = frozenset({"node_modules", "vendor", "venv", "__pycache__", "site-packages"})
_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*(?:/[A-Za-z0-9_][A-Za-z0-9_.+-]*)*")


def is_plain(path: str) -> bool:
    """Tell whether a path means itself everywhere: in a Dockerfile, a shell, and a comment."""
    return len(path) < 256 and _PLAIN.fullmatch(path) is not None


class Tree:
    """The files below a folder. A symbolic link counts as if it were not there."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()

    def below(self, path: str) -> "Tree":
        """Return the tree of a folder of this one. Raises `PlanError` when there is none."""
        folder = self._real(path)
        if folder is None or not folder.is_dir():
            raise PlanError(f"the repository has no folder {path}: check root_directory")
        return Tree(folder)

    def has(self, path: str) -> bool:
        """Tell whether there is such a file."""
        return self._file(path) is not None

    def text(self, path: str) -> str | None:
        """Return the text of a file, or None when it is missing or over 1 MiB.

        What is not UTF-8 is replaced, and so is NUL, which no database stores.
        """
        there = self._file(path)
        raw = _read(there) if there is not None else None
        if raw is None:
            return None
        wide = raw.startswith((b"\xff\xfe", b"\xfe\xff"))
        text = raw.decode("utf-16" if wide else "utf-8-sig", errors="replace")
        return text.replace("\0", "\ufffd")

    def table(self, path: str) -> dict[str, Any]:
        """Read a JSON or TOML file that holds a table; one that is missing is empty.

        Raises `PlanError` when it cannot be read as that.
        """
        text = self.text(path)
        if text is None:
            return {}
        try:
            found = tomllib.loads(text) if path.endswith(".toml") else json.loads(text)
        except RecursionError:
            raise PlanError(f"{path} nests too deeply to be read: make it simpler") from None
        except ValueError as error:
            raise PlanError(f"{path} cannot be read: {str(error)[:200]}") from None
        if not isinstance(found, dict):
            raise PlanError(f"{path} does not hold an object")
        return found

    @cached_property
    def paths(self) -> tuple[str, ...]:
        """The files with plain names, those nearest to the root first; a bounded number."""
        found: list[str] = []
        folders, left = [(self.root, "", 1)], _ENTRIES_LIMIT
        for folder, prefix, depth in folders:
            entries = _entries(folder, left)
            left -= len(entries)
            for entry in entries:
                path = f"{prefix}{entry.name}"
                if entry.is_file(follow_symlinks=False):
                    found.append(path)
                elif depth < _DEPTH_LIMIT and _is_looked_into(entry):
                    folders.append((folder / entry.name, f"{path}/", depth + 1))
            if len(found) >= _PATHS_LIMIT or left <= 0:
                break
        return tuple(found[:_PATHS_LIMIT])

    def matching(self, pattern: str) -> Iterator[str]:
        """List the files whose whole path matches a regular expression."""
        return (path for path in self.paths if re.fullmatch(pattern, path))

    def _real(self, path: str) -> Path | None:
        """Return where a path leads if it leads to itself: through no link, and not out."""
        try:
            there = self.root / path
            inside = there.is_relative_to(self.root) and os.path.realpath(there) == str(there)
        except (OSError, ValueError):
            return None
        return there if inside else None

    def _file(self, path: str) -> Path | None:
        there = self._real(path)
        try:
            is_file = there is not None and stat.S_ISREG(there.lstat().st_mode)
        except OSError:
            return None
        return there if is_file else None


def _read(file: Path) -> bytes | None:
    try:
        # A pipe that took the file's place would otherwise wait for its other end.
        with os.fdopen(os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as opened:
            raw = opened.read(_FILE_LIMIT + 1)
    except OSError:
        return None
    return raw if len(raw) <= _FILE_LIMIT else None


def _entries(folder: Path, limit: int) -> list[os.DirEntry[str]]:
    """List the entries of a folder that have plain names, up to a number, sorted."""
    try:
        with os.scandir(folder) as listing:
            found = [entry for entry in islice(listing, limit) if is_plain(entry.name)]
    except OSError:
        return []
    return sorted(found, key=lambda entry: entry.name)


def _is_looked_into(entry: os.DirEntry[str]) -> bool:
    return entry.name not in _SKIPPED and entry.is_dir(follow_symlinks=False)
