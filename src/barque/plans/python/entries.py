"""Which object of a repository is the web application, found by its text alone."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from barque.plans.tree import Tree

# Without looking into more of them the first that is found is the nearest to the root.
_READ_LIMIT = 300
_STEMS = ("main", "app", "wsgi", "asgi", "application", "server", "api", "run", "__init__", "index")
_FILE = rf"(?:\w+/){{0,3}}(?:{'|'.join(_STEMS)})\.py"
_ASGI = ("FastAPI", "Starlette", "Litestar", "Quart")
_MADE = re.compile(
    rf"^(\w+)[ \t]*(?::[ \t]*[\w.]+[ \t]*)?=[ \t]*(?:\w+\.)?({'|'.join(_ASGI)}|Flask)\(", re.M
)
_FACTORY = re.compile(r"^def[ \t]+(create_app|make_app)\(", re.M)
_CALLED = re.compile(r"^(\w+)[ \t]*=[ \t]*(?:create_app|make_app)\(", re.M)
_IMPORTED = re.compile(rf"^(?:from|import)[ \t].*\b({'|'.join(_ASGI)}|Flask)\b", re.M)
_TESTS = re.compile(r"(?:.*/)?(?:tests?|docs?|examples?|scripts)/.*")


@dataclass(frozen=True, slots=True)
class Entry:
    """A web application: `app.main:app`, of a framework; `asgi` tells which kind of server.

    A `factory` is called for the application; `below` is the folder that is to be importable.
    """

    target: str
    framework: str
    file: str
    asgi: bool = False
    factory: bool = False
    below: str = ""


def find_entry(tree: Tree) -> Entry | None:
    """Return the web application of a repository, if there is one that can be told."""
    files = _candidates(tree.matching(_FILE))
    texts = {path: tree.text(path) or "" for path in files[:_READ_LIMIT]}
    factory = next(filter(None, (_factory(*file) for file in texts.items())), None)
    return (
        next(filter(None, (_made(*file) for file in texts.items())), None)
        or next(filter(None, (_called(*file, factory) for file in texts.items())), None)
        or factory
    )


def _candidates(paths: Iterable[str]) -> list[str]:
    """Sort files by depth, then by how usual their names are; tests are not looked at."""
    found = [path for path in paths if not _TESTS.fullmatch(path)]
    return sorted(found, key=lambda path: (path.removeprefix("src/").count("/"), _rank(path), path))


def _rank(path: str) -> int:
    return _STEMS.index(path.rpartition("/")[2].removesuffix(".py"))


def _made(path: str, text: str) -> Entry | None:
    if match := _MADE.search(text):
        return _entry(path, match[1], match[2])
    return None


def _called(path: str, text: str, factory: Entry | None) -> Entry | None:
    if factory and (match := _CALLED.search(text)):
        return _entry(path, match[1], factory.framework)
    return None


def _factory(path: str, text: str) -> Entry | None:
    imported = _IMPORTED.search(text)
    if imported and (match := _FACTORY.search(text)):
        return _entry(path, match[1], imported[1], factory=True)
    return None


def _entry(path: str, name: str, framework: str, *, factory: bool = False) -> Entry:
    module, below = path.removesuffix(".py"), ""
    if module.startswith("src/"):
        module, below = module.removeprefix("src/"), "src"
    module = module.replace("/", ".").removesuffix(".__init__")
    return Entry(
        f"{module}:{name}", framework, path, asgi=framework in _ASGI, factory=factory, below=below
    )


def find_django(tree: Tree) -> Entry | None:
    """Return the WSGI application of a Django project, or its ASGI one where it has no other."""
    for kind, call in (("wsgi", "get_wsgi_application"), ("asgi", "get_asgi_application")):
        for path in tree.matching(rf"(?:\w+/){{1,3}}{kind}\.py"):
            if call in (tree.text(path) or ""):
                module = path.removesuffix(".py").replace("/", ".")
                return Entry(f"{module}:application", "Django", path, asgi=kind == "asgi")
    return None


def collects_static_files(tree: Tree) -> bool:
    """Tell whether a Django project's settings say where to collect static files."""
    return any(
        re.search(r"^[ \t]*STATIC_ROOT[ \t]*=", tree.text(path) or "", re.M)
        for path in tree.matching(r"(?:\w+/){1,3}\w*settings\w*\.py|(?:\w+/){0,2}settings/\w+\.py")
    )
