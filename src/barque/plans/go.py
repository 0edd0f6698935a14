"""Plans for Go: each main package becomes a program."""

import re

from barque.plans.bases import Wish
from barque.plans.plan import HOME, Part, Plan, PlanError, Stage, Step
from barque.plans.source import SOURCE, Source

_PROGRAMS = f"{HOME}/bin"
_CACHES = ["/root/go/pkg/mod", "/root/.cache/go-build"]
_DIRECTIVE = re.compile(r"^go[ \t]+(\d{1,4}(?:\.\d{1,4}){0,2})", re.M)
_MODULE = re.compile(r"^module[ \t]+\"?([^\s\"]+)", re.M)
_LOCAL = re.compile(r"=>[ \t]+\.{1,2}/")
_MAIN = re.compile(r"^package[ \t]+main\b", re.M)
_C = re.compile(r"^import[ \t]+\"C\"", re.M)
_IGNORED = re.compile(r"^//go:build[ \t]+ignore\b", re.M)
_WEB = ("web", "server", "api", "app", "http", "serve", "main")
_READ_LIMIT = 500


def plan(source: Source) -> Plan | None:
    """Plan a Go repository; None when it is none. Raises `PlanError`."""
    module = source.tree.text("go.mod")
    if module is None:
        return None
    asked = _DIRECTIVE.search(module)
    wish = Wish(f">={asked[1]}", "go.mod") if asked else None
    version, image = source.bases.choose("go", wish)
    packages, calls_c = _packages(source, module)
    vendored = source.tree.has("vendor/modules.txt")
    web = None if source.has_web() else _web(packages)
    reasons = ["found go.mod: Go", f"programs: {', '.join(packages)}"]
    if vendored:
        reasons.append("dependencies: the folder vendor")
    if web:
        reasons.append(f"web: {web}")
    steps = []
    if source.tree.has("go.sum") and not vendored and not _LOCAL.search(module):
        needs = ["go.mod", "go.sum"]
        steps = [Step("fetch the dependencies", ["go mod download"], needs, _CACHES[:1])]
    builds = [
        f"go build -trimpath -ldflags='-s -w' -o {_PROGRAMS}/{name} ./{folder}".rstrip("/")
        for name, folder in packages.items()
    ]
    steps.append(Step("build", builds, ["."], _CACHES))
    environment = {"GOTOOLCHAIN": "local", "CGO_ENABLED": "1" if calls_c else "0"}
    return Plan(
        provider="go",
        version=version,
        reasons=reasons,
        stages=[Stage("build", image.build, steps, environment)],
        base=image.run,
        # The programs may read templates and the like: the source is where they run.
        parts=[SOURCE, Part(_PROGRAMS, _PROGRAMS, "build", owned=False)],
        processes={"web": f"exec {web}"} if web else {},
        path=[_PROGRAMS],
    )


def _packages(source: Source, module: str) -> tuple[dict[str, str], bool]:
    """Return the folder of each main package by its program's name, and whether any calls C."""
    files = [path for path in source.tree.matching(r".*\.go") if not path.endswith("_test.go")]
    folders: dict[str, None] = {}
    calls_c = False
    for path in files[:_READ_LIMIT]:
        text = source.tree.text(path) or ""
        calls_c = calls_c or _C.search(text) is not None
        if _MAIN.search(text) and not _IGNORED.search(text):
            folders[path.rpartition("/")[0]] = None
    if not folders:
        raise PlanError("found go.mod, but no file of 'package main': add one, or a Dockerfile")
    packages: dict[str, str] = {}
    for folder in folders:
        name = folder.rpartition("/")[2] or _program(module)
        packages.setdefault(name, folder)
    return packages, calls_c


def _program(module: str) -> str:
    """Name the program of the root's package as Go does: by the last word of the module's path."""
    match = _MODULE.search(module)
    words = (match[1] if match else "").split("/")
    if len(words) > 1 and re.fullmatch(r"v\d+", words[-1]):
        words.pop()
    return words[-1] if re.fullmatch(r"[A-Za-z0-9_][\w.-]{0,63}", words[-1], re.A) else "app"


def _web(packages: dict[str, str]) -> str:
    root = [name for name, folder in packages.items() if not folder]
    usual = [name for name in _WEB if name in packages]
    only = list(packages) if len(packages) == 1 else []
    for name in (*root, *only, *usual):
        return name
    raise PlanError(
        f"found the programs {', '.join(packages)}: say which of them is 'web' in a Procfile, such "
        f"as 'web: {next(iter(packages))}'"
    )
