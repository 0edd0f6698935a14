"""What a `.dockerignore` leaves out of a build, by Docker's rules."""

import posixpath
from collections.abc import Callable, Iterator

from pathspec import PathSpec


def dockerignore(text: str) -> Callable[[str], bool]:
    """Read a `.dockerignore`, and return what tells whether a path is left out.

    The rules are those of `.gitignore` but for two: a pattern without a slash fits at the root
    alone, and what is in a folder that is left out can be taken in again.
    """
    spec = PathSpec.from_lines("gitignore", _rooted(text.removeprefix("\ufeff")))
    return spec.match_file


def _rooted(text: str) -> Iterator[str]:
    for line in text.splitlines():
        pattern = line.strip()
        if not pattern or line.startswith("#"):
            continue
        negated, pattern = pattern.startswith("!"), pattern.removeprefix("!").strip()
        path = posixpath.normpath(f"/{pattern}").lstrip("/")
        if path:
            # A folder, and whatever is in it.
            yield from (f"{'!' if negated else ''}/{path}{below}" for below in ("", "/**"))
