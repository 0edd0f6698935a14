"""Installing Python dependencies: with pip, uv, Poetry or PDM, as the repository's files say."""

from dataclasses import dataclass, field

from barque.plans.plan import Step
from barque.plans.python.requirements import Requirements, from_file, from_project, normal_names
from barque.plans.source import Source, table_of

VENV = "/opt/venv"
_TOOLS = "/opt/tools"
_MAKE_VENV = f"python3 -m venv --without-pip {VENV}"
_PIP_CACHE = "/root/.cache/pip"
_PROJECT = "pyproject.toml"


@dataclass(frozen=True, slots=True)
class Installation:
    """How the dependencies are installed, into the virtual environment.

    `names` are the normal names of what is required, as far as the files say; `package` is the
    step that installs the repository itself, once all of its source is there.
    """

    reason: str
    names: set[str] = field(default_factory=set)
    steps: list[Step] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    package: Step | None = None


def installation(source: Source, project: dict[str, object]) -> Installation:
    """Choose by the files: a lock comes first, then requirements.txt, then the project alone."""
    tree = source.tree
    if project:
        for lock, by in (("uv.lock", _uv), ("poetry.lock", _poetry), ("pdm.lock", _pdm)):
            if tree.has(lock):
                return by(project)
    if tree.has("requirements.txt"):
        return _pip(from_file(tree, "requirements.txt"))
    if names := from_project(project):
        return _unlocked(names, "build-system" in project)
    return Installation("no file names dependencies, so that none are installed")


def install_with_pip(title: str, what: str, needs: list[str]) -> Step:
    """Install into the virtual environment, which itself has no pip."""
    command = f"pip --python {VENV}/bin/python install {what}"
    return Step(title, [command], needs, [_PIP_CACHE])


def make_venv() -> Step:
    """Make the virtual environment."""
    return Step("make the virtual environment", [_MAKE_VENV])


def _pip(found: Requirements) -> Installation:
    needs = ["."] if found.local else found.files
    install = install_with_pip("install the dependencies", "-r requirements.txt", needs)
    return Installation(
        "dependencies: requirements.txt, with pip", found.names, [make_venv(), install]
    )


def _unlocked(names: set[str], packaged: bool) -> Installation:
    install, caches = f"{_TOOLS}/bin/uv pip install", ["/root/.cache/uv"]
    dependencies = Step(
        "install the dependencies", [f"{install} -r {_PROJECT}"], [_PROJECT], caches
    )
    return Installation(
        f"dependencies: {_PROJECT}, with uv; there is no lock file, so each new install may "
        "choose other versions: add uv.lock",
        names,
        [_tool("uv"), make_venv(), dependencies],
        _UV_ENVIRONMENT,
        Step("install the project", [f"{install} --no-deps ."], ["."], caches)
        if packaged
        else None,
    )


_UV_ENVIRONMENT = {
    "UV_PROJECT_ENVIRONMENT": VENV, "UV_LINK_MODE": "copy", "UV_COMPILE_BYTECODE": "1",
    "UV_PYTHON": "python3", "UV_PYTHON_DOWNLOADS": "never",
}  # fmt: skip


def _uv(project: dict[str, object]) -> Installation:
    own = table_of(project, "tool", "uv")
    sources = table_of(own, "sources").values()
    local = "workspace" in own or any(
        key in table_of({"one": one}, "one") for one in sources for key in ("path", "workspace")
    )
    sync, caches = f"{_TOOLS}/bin/uv sync --frozen --no-dev", ["/root/.cache/uv"]
    needs = ["."] if local else [_PROJECT, "uv.lock"]
    packaged = own.get("package", "build-system" in project) is True
    return Installation(
        "dependencies: uv.lock, with uv",
        from_project(project),
        [
            _tool("uv"),
            Step("install the dependencies", [f"{sync} --no-install-project"], needs, caches),
        ],
        _UV_ENVIRONMENT,
        Step("install the project", [f"{sync} --no-editable --inexact"], ["."], caches)
        if packaged
        else None,
    )


def _poetry(project: dict[str, object]) -> Installation:
    own = table_of(project, "tool", "poetry")
    install, caches = f"{_TOOLS}/bin/poetry install --no-interaction", ["/root/.cache/pypoetry"]
    dependencies = table_of(own, "dependencies").values()
    local = any("path" in table_of({"one": one}, "one") for one in dependencies)
    needs = ["."] if local else [_PROJECT, "poetry.lock"]
    packaged = own.get("package-mode", "build-system" in project) is True and (
        "packages" in own or "scripts" in own or "scripts" in table_of(project, "project")
    )
    return Installation(
        "dependencies: poetry.lock, with Poetry",
        from_project(project),
        [
            _tool("poetry>=2,<3"),
            make_venv(),
            Step("install the dependencies", [f"{install} --only main --no-root"], needs, caches),
        ],
        {"POETRY_VIRTUALENVS_OPTIONS_NO_PIP": "true"},
        Step("install the project", [f"{install} --only-root"], ["."], caches)
        if packaged
        else None,
    )


def _pdm(project: dict[str, object]) -> Installation:
    own = table_of(project, "tool", "pdm")
    sync, caches = f"{_TOOLS}/bin/pdm sync --prod", ["/root/.cache/pdm"]
    packaged = own.get("distribution", "build-system" in project) is True
    return Installation(
        "dependencies: pdm.lock, with PDM",
        from_project(project),
        [
            # Of its own accord it takes a later hishel than it can work with.
            _tool("pdm>=2,<3", "hishel<2"),
            make_venv(),
            Step(
                "install the dependencies", [f"{sync} --no-self"], [_PROJECT, "pdm.lock"], caches
            ),
        ],
        {"PDM_CHECK_UPDATE": "false"},
        Step("install the project", [f"{sync} --no-editable"], ["."], caches) if packaged else None,
    )  # fmt: skip


def _tool(requirement: str, *more: str) -> Step:
    name = next(iter(normal_names([requirement])))
    wanted = " ".join(f"'{one}'" for one in (requirement, *more))
    return Step(
        f"get {name}",
        [f"python3 -m venv {_TOOLS}", f"{_TOOLS}/bin/pip install {wanted}"],
        caches=[_PIP_CACHE],
    )
