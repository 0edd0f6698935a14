"""Plans for Python: Django, Flask, FastAPI and what a Procfile runs."""

import re
import shlex

from barque.plans.bases import Wish
from barque.plans.plan import HOME, Part, Plan, PlanError, Stage, Step
from barque.plans.python.entries import (
    Entry,
    collects_static_files,
    find_django,
    find_entry,
)
from barque.plans.python.installers import (
    VENV,
    Installation,
    install_with_pip,
    installation,
    make_venv,
)
from barque.plans.source import SOURCE, Source, table_of, text_of

_EVIDENCE = (
    "uv.lock", "poetry.lock", "pdm.lock", "requirements.txt", "manage.py", ".python-version",
    "main.py", "app.py", "wsgi.py", "asgi.py",
)  # fmt: skip
# What is installed where a server is not among the dependencies.
_SERVERS = {"gunicorn": "gunicorn", "uvicorn": "uvicorn[standard]"}
_BIND = '"0.0.0.0:${PORT:-8000}"'


def plan(source: Source) -> Plan | None:
    """Plan a Python repository; None when it is none. Raises `PlanError`."""
    project = source.tree.table("pyproject.toml")
    found = _evidence(source, project)
    if found is None:
        return None
    version, image = source.bases.choose("python", _wish(source, project))
    chosen = installation(source, project)
    entry = None if source.has_web() else _entry(source, found)
    servers = _missing_servers(source, entry, chosen.names)
    stages = _stages(source, image.build, chosen, servers)
    return Plan(
        provider="python",
        version=version,
        reasons=[
            f"found {found}: Python", chosen.reason, *_about(entry),
            *(f"{one} is not among the dependencies, and is added" for one in servers),
        ],
        stages=stages,
        base=image.run,
        parts=_parts(stages),
        processes={"web": _command(entry)} if entry else {},
        environment={
            "PYTHONUNBUFFERED": "1",
            **({"PYTHONPATH": f"{HOME}/{entry.below}"} if entry and entry.below else {}),
        },
        path=[f"{VENV}/bin"] if stages else [],
    )  # fmt: skip


def _evidence(source: Source, project: dict[str, object]) -> str | None:
    if "project" in project or table_of(project, "tool", "poetry"):
        return "pyproject.toml"
    for file in _EVIDENCE:
        if source.tree.has(file):
            return file
    runtime = source.asks("runtime.txt")
    return "runtime.txt" if runtime and runtime.text.startswith("python-") else None


def _wish(source: Source, project: dict[str, object]) -> Wish | None:
    standard = text_of(table_of(project, "project").get("requires-python"))
    poetry = text_of(table_of(project, "tool", "poetry", "dependencies").get("python"))
    ranged = standard or poetry
    return (
        source.asks(".python-version")
        or source.asks("runtime.txt", "python-")
        or (Wish(ranged, "pyproject.toml") if ranged else None)
    )


def _entry(source: Source, found: str) -> Entry:
    entry = find_django(source.tree) if source.tree.has("manage.py") else None
    entry = entry or find_entry(source.tree)
    if entry is None:
        raise PlanError(
            f"found {found}, but no Django project and no file that makes a Flask or FastAPI "
            "application: add a Procfile that says what to run, such as 'web: python app.py'"
        )
    return entry


def _about(entry: Entry | None) -> list[str]:
    if entry is None:
        return []
    found = f"web: {entry.framework}, {entry.target} in {entry.file}"
    if entry.framework != "Django":
        return [found]
    return [
        found,
        "migrations are not run: add 'release: python manage.py migrate' to a Procfile for that",
    ]


def _command(entry: Entry) -> str:
    target = entry.target + ("()" if entry.factory and not entry.asgi else "")
    if not entry.asgi:
        options = f"--bind {_BIND} --threads 8 --worker-tmp-dir /dev/shm"
        return f"exec gunicorn {options} {shlex.quote(target)}"
    factory = " --factory" if entry.factory else ""
    return f'exec uvicorn --host 0.0.0.0 --port "${{PORT:-8000}}"{factory} {shlex.quote(target)}'


def _missing_servers(source: Source, entry: Entry | None, names: set[str]) -> list[str]:
    """List the servers that processes call and no dependency brings."""
    called = " ".join([*source.procfile.values(), _command(entry) if entry else ""])
    brought = names | ({"uvicorn"} if names & {"fastapi[standard]", "fastapi[all]"} else set())
    return [name for name in _SERVERS if name not in brought and re.search(rf"\b{name}\b", called)]


def _stages(source: Source, base: str, chosen: Installation, servers: list[str]) -> list[Stage]:
    steps = list(chosen.steps)
    if servers:
        what = " ".join(f"'{_SERVERS[name]}'" for name in servers)
        steps = steps or [make_venv()]
        steps.append(install_with_pip("install the server", what, []))
    if not steps:
        return []
    environment = {
        "VIRTUAL_ENV": VENV, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_ROOT_USER_ACTION": "ignore",
        **chosen.environment,
    }  # fmt: skip
    stages = [Stage("dependencies", base, steps, environment, [f"{VENV}/bin"])]
    last = [chosen.package] if chosen.package else []
    if source.tree.has("manage.py") and collects_static_files(source.tree):
        command = "python manage.py collectstatic --noinput"
        last.append(Step("collect the static files", [command], ["."]))
    if last:
        stages.append(Stage("build", "dependencies", last))
    return stages


def _parts(stages: list[Stage]) -> list[Part]:
    if not stages:
        return [SOURCE]
    last = stages[-1].name
    venv = Part(VENV, VENV, last, owned=False)
    return [venv, SOURCE if last == "dependencies" else Part(HOME, HOME, last)]
