"""The names in an archive: each leads to within the folder that it is unpacked to."""

import os
from typing import Literal

_PART_LIMIT = 255
_NAME_LIMIT = 1024
_DEPTH_LIMIT = 64
_TOTAL_LIMIT = 32 * 1024 * 1024
_SHOWN = 120


class ArchiveError(Exception):
    """The archive is not taken; the message says why, and what to do next."""


def printable(name: str) -> str:
    """Return a name as a message may show it, whatever is in it."""
    shown = ascii(name)
    return shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}...'"


class Names:
    """The names that there are already, of which there may be no more than `limit`."""

    def __init__(self, limit: int) -> None:
        self._kinds: dict[str, str] = {}
        self._limit = limit
        self._left = _TOTAL_LIMIT

    def take(
        self, said: str, kind: Literal["file", "folder", "link", "twin"]
    ) -> tuple[str | None, list[str]]:
        """Return a name in its plain form, and the folders that have to be made for it first.

        The name of a folder that there is already is None. Raises `ArchiveError`.
        """
        name = _plain(said)
        folders = self._missing(name.rpartition("/")[0], said)
        there = self._kinds.get(name) if name else "folder"
        if there is not None and not there == kind == "folder":
            raise ArchiveError(f"{printable(said)} is in the archive twice: pack it anew")
        for one in folders:
            self._add(one, "folder")
        if there is not None:
            return None, folders
        self._add(name, kind)
        return name, folders

    def file(self, name: str, said: str) -> str:
        """Return the plain form of the name of a file that came before. Raises `ArchiveError`."""
        target = _plain(said)
        if self._kinds.get(target) not in ("file", "twin") or target == name:
            raise ArchiveError(
                f"{printable(name)} is a hard link to {printable(said)}, which is no file before "
                "it in the archive: pack it anew"
            )
        return target

    def _missing(self, folder: str, said: str) -> list[str]:
        """List the folders down to `folder` that there are not yet, the outermost first."""
        found: list[str] = []
        while folder:
            there = self._kinds.get(folder)
            if there == "folder":
                break
            if there is not None:
                raise ArchiveError(
                    f"{printable(said)} lies below {printable(folder)}, which is no folder"
                )
            found.append(folder)
            folder = folder.rpartition("/")[0]
        return found[::-1]

    def _add(self, name: str, kind: str) -> None:
        self._kinds[name] = kind
        self._left -= len(name)
        if len(self._kinds) > self._limit or self._left < 0:
            raise ArchiveError(
                f"the source has over {self._limit} files and folders, or very long names: leave "
                "out what no build needs with .gitignore or .dockerignore"
            )


def _plain(said: str) -> str:
    """Return a name without what means nothing; the archive's own folder is ""."""
    parts = [part for part in said.split("/") if part not in ("", ".")]
    if said.startswith("/") or ".." in parts or "\0" in said:
        raise ArchiveError(
            f"{printable(said)} leads out of the archive: names have to be relative, without '..'"
        )
    name = "/".join(parts)
    longest = max((len(os.fsencode(part)) for part in parts), default=0)
    if longest > _PART_LIMIT or len(name) > _NAME_LIMIT or len(parts) > _DEPTH_LIMIT:
        raise ArchiveError(
            f"{printable(said)} is too long a name, or lies too deep: at most {_PART_LIMIT} bytes "
            f"a part, {_NAME_LIMIT} characters, and {_DEPTH_LIMIT} folders deep"
        )
    return name


def link_target(name: str, said: str) -> str:
    """Return where a symbolic link leads, in its plain form. Raises `ArchiveError`.

    Its `..` stand first, and climb no further than the archive's folder: since what a link lies in
    is no link itself, that holds however many links are followed on the way.
    """
    parts = [part for part in said.split("/") if part not in ("", ".")]
    climbs = 0
    while climbs < len(parts) and parts[climbs] == "..":
        climbs += 1
    out = said.startswith("/") or climbs > name.count("/") or ".." in parts[climbs:]
    if out or "\0" in said or len(os.fsencode(said)) > _NAME_LIMIT:
        raise ArchiveError(
            f"the link {printable(name)} to {printable(said)} leads out of the source, or may: "
            "have it lead to a file of the source, with '..' only at its beginning, or leave it "
            "out with .gitignore"
        )
    return "/".join(parts) or "."
