"""What Python dependencies a repository names: enough to choose, never to resolve."""

import posixpath
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from barque.plans.source import table_of, texts_of
from barque.plans.tree import Tree, is_plain

_NAME = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[([^\]]*)\])?")
_INCLUDE = re.compile(r"(?:-r|-c|--requirement|--constraint)(?:\s*=\s*|\s*)(\S+)")
_LOCAL = re.compile(r"(?:-e\b|--editable\b|\.|/|file:).*|[^#]*@\s*file:.*")
_FILES_LIMIT = 50


@dataclass(slots=True)
class Requirements:
    """The names of what is required, and what must be there to install it.

    `files` are the requirement files; `local` says that parts of the repository are installed as
    well, or that a file has a name of no plain kind: then all of the source is needed.
    """

    names: set[str] = field(default_factory=set)
    files: list[str] = field(default_factory=list)
    local: bool = False


def from_file(tree: Tree, path: str) -> Requirements:
    """Read a requirements file, and those that it includes."""
    found, waiting = Requirements(), [path]
    # The list grows while it is gone through.
    for file in waiting:
        if not is_plain(file) or not tree.has(file) or len(found.files) == _FILES_LIMIT:
            found.local = True
            break
        if file in found.files:
            continue
        found.files.append(file)
        for line in _lines(tree.text(file) or ""):
            if include := _INCLUDE.match(line):
                inside = posixpath.join(posixpath.dirname(file), include[1])
                waiting.append(posixpath.normpath(inside))
            elif _LOCAL.fullmatch(line):
                found.local = True
            else:
                found.names |= normal_names([line])
    return found


def from_project(project: dict[str, object]) -> set[str]:
    """List what a `pyproject.toml` requires: by the standard, or by Poetry's own table."""
    names = normal_names(texts_of(table_of(project, "project").get("dependencies")))
    poetry = table_of(project, "tool", "poetry")
    for own in (poetry, table_of(poetry, "group", "main")):
        for name, wanted in table_of(own, "dependencies").items():
            extras = table_of({"wanted": wanted}, "wanted").get("extras")
            names |= normal_names([f"{name}[{','.join(texts_of(extras))}]"])
    return names


def normal_names(requirements: Iterable[str]) -> set[str]:
    """Return the normal form of each required name, and of each with each of its extras.

    `FastAPI[standard]>=0.100` becomes `fastapi` and `fastapi[standard]`.
    """
    names: set[str] = set()
    for match in filter(None, map(_NAME.match, requirements)):
        name = _normal(match[1])
        names |= {name, *(f"{name}[{_normal(extra.strip())}]" for extra in _extras(match[2]))}
    return names


def _extras(text: str | None) -> list[str]:
    return [extra for extra in (text or "").split(",") if extra.strip()]


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _lines(text: str) -> Iterator[str]:
    """Return the lines that say something, with those that go on joined."""
    for line in re.sub(r"\\\r?\n", " ", text).splitlines():
        if (plain := line.strip()) and not plain.startswith("#"):
            yield plain
