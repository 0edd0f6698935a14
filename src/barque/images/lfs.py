"""Files that Git LFS keeps elsewhere: what is in the repository is only a pointer to each."""

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from barque.dockerignore import dockerignore
from barque.git.port import SourceError

_BEGINS = b"version https://git-lfs.github.com/spec/"
_LONGEST = 1024
_FILTER = b"filter=lfs"
_NAMED = 5


def refuse_pointers(context: Path, root: Path, dockerfile: str) -> None:
    """Return if the files that a build gets are all there. Raises `SourceError`.

    `context` is the folder that is built, of the source at `root`. What looks like a pointer is one
    where a `.gitattributes` says that there are some.
    """
    left_out = _left_out(context, dockerfile)
    found = [path for path in _pointers(context) if not left_out(path)]
    if not found or not _has_filter([root, context]):
        return
    names = ", ".join(ascii(path) for path in sorted(found)[:_NAMED])
    more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    raise SourceError(
        f"the source has only pointers of Git LFS in place of {names}{more}: bring the files with "
        "'git lfs pull' and 'barque deploy --source .', commit them without Git LFS, or leave them "
        "out of the build with .dockerignore"
    )


def _pointers(context: Path) -> Iterator[str]:
    for folder, _, files in os.walk(context):
        for name in files:
            path = f"{folder}/{name}"
            status = os.lstat(path)
            if stat.S_ISREG(status.st_mode) and len(_BEGINS) < status.st_size <= _LONGEST:
                with Path(path).open("rb") as file:
                    if file.read(len(_BEGINS)) == _BEGINS:
                        yield os.path.relpath(path, context)


def _has_filter(folders: list[Path]) -> bool:
    """Tell whether the `.gitattributes` of a folder, or of any below the last, speak of LFS."""
    files = [folder / ".gitattributes" for folder in folders]
    files += folders[-1].rglob(".gitattributes")
    return any(
        _FILTER in file.read_bytes() for file in files if file.is_file() and not file.is_symlink()
    )


def _left_out(context: Path, dockerfile: str) -> Callable[[str], bool]:
    for name in (f"{dockerfile}.dockerignore", ".dockerignore"):
        file = context / name
        if file.is_file() and not file.is_symlink():
            return dockerignore(file.read_text(encoding="utf-8", errors="replace"))
    return lambda _: False
