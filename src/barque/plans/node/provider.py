"""Plans for Node.js: servers, and sites that a build makes."""

import re
import shlex

from barque.plans.bases import Wish
from barque.plans.node.managers import Manager, manager
from barque.plans.plan import HOME, Part, Plan, PlanError, Stage, Step
from barque.plans.source import SOURCE, Source, table_of, text_of
from barque.plans.static import FOLDER, serve

_SERVERS = ("server.js", "index.js", "app.js", "main.js", "server.mjs", "index.mjs")
# Where builds leave a site, and what npm calls of its own accord while it installs.
_OUTPUTS = ("dist", "build", "out", "public", "_site", "dist/*/browser", "dist/*")
_HOOKS = ("preinstall", "install", "postinstall", "prepare")
_DEVELOPMENT = re.compile(
    r"(?:\w+=\S+ +|npx +|cross-env +)*(?:vite|react-scripts|ng|parcel|webpack|webpack-dev-server|"
    r"vue-cli-service|astro|gatsby|eleventy|snowpack|live-server|http-server|serve|rsbuild)\b.*"
)
_MANAGERS = re.compile(r"\b(?:npm|npx|pnpm|yarn|corepack)\b")


def plan(source: Source) -> Plan | None:
    """Plan a Node.js repository; None when it is none. Raises `PlanError`."""
    if not source.tree.has("package.json"):
        return None
    package = source.tree.table("package.json")
    scripts = table_of(package, "scripts")
    version, image = source.bases.choose("node", _wish(source, package))
    chosen = manager(source, package)
    reasons = ["found package.json: Node.js", chosen.reason]
    site = _is_site(source, scripts)
    web = None if site or source.has_web() else _web(source, package, scripts)
    builds = text_of(scripts.get("build")) is not None
    build = [f"NODE_ENV=production {chosen.run} build"] if builds else []
    if builds:
        reasons.append("the script 'build' is run")
    if site:
        stages = _stages(chosen, image.build, [*build, _gather()], _hooked(package), ship=False)
        base, parts = source.bases.plain("static").run, [Part(FOLDER, FOLDER, "build", owned=False)]
        reasons.append("there is no script that serves: the built site is served as files")
        return Plan(
            "node", version, reasons, stages, base, parts, {"web": serve(FOLDER, "/index.html")}
        )
    if web:
        reasons.append(f"web: {web}")
    stages = _stages(chosen, image.build, build, _hooked(package), ship=True)
    return Plan(
        "node", version, reasons, stages, image.run, _parts(stages),
        {"web": web} if web else {}, {"NODE_ENV": "production"}, [f"{HOME}/node_modules/.bin"],
    )  # fmt: skip


def _wish(source: Source, package: dict[str, object]) -> Wish | None:
    engines = text_of(table_of(package, "engines").get("node"))
    if engines:
        return Wish(engines, "engines in package.json")
    for file in (".nvmrc", ".node-version"):
        wish = source.asks(file)
        # Names such as lts/iron move on: the preferred version stands for them.
        if wish and wish.text.removeprefix("v")[:1].isdigit():
            return wish
    return None


def _is_site(source: Source, scripts: dict[str, object]) -> bool:
    """Tell whether a build makes files for any web server, and nothing of its own serves them."""
    start = text_of(scripts.get("start"))
    if source.has_web() or text_of(scripts.get("build")) is None:
        return False
    if start is not None:
        return _DEVELOPMENT.fullmatch(start.strip()) is not None
    return not any(source.tree.has(name) for name in _SERVERS)


def _web(source: Source, package: dict[str, object], scripts: dict[str, object]) -> str:
    """Return the command of `web`: the script itself, since npm is not in the image."""
    start = text_of(scripts.get("start"))
    if start is not None:
        before = text_of(scripts.get("prestart"))
        command = f"{before} && {start}" if before else start
        if called := _MANAGERS.search(command):
            raise PlanError(
                f"the script 'start' calls {called[0]}, which the image does not have: say what "
                "to run in a Procfile, such as 'web: node server.js'"
            )
        return command
    main = text_of(package.get("main"))
    for name in (*([main] if main else []), *_SERVERS):
        if source.tree.has(name):
            return f"exec node {shlex.quote(name)}"
    raise PlanError(
        "found package.json, but no script 'start' or 'build' in it: add one, or a Procfile that "
        "says what to run, such as 'web: node server.js'"
    )


def _hooked(package: dict[str, object]) -> bool:
    """Tell whether installing needs more of the repository than the manager's own files."""
    wanted = [
        one
        for kind in ("dependencies", "devDependencies", "optionalDependencies")
        for one in table_of(package, kind).values()
    ]
    local = any(
        isinstance(one, str) and one.startswith(("file:", "link:", "workspace:", "portal:", "."))
        for one in wanted
    )
    hooks = any(text_of(table_of(package, "scripts").get(name)) for name in _HOOKS)
    patched = bool(table_of(package, "pnpm", "patchedDependencies"))
    return local or "workspaces" in package or hooks or patched


def _gather() -> str:
    """Move the built site to where it is served from, or say where it was looked for."""
    return (
        f"for folder in {' '.join(_OUTPUTS)}; do "
        f'if [ -f "$folder/index.html" ]; then mv "$folder" {FOLDER}; break; fi; done; '
        f"[ -d {FOLDER} ] || {{ echo 'the build left no index.html in "
        f"{', '.join(_OUTPUTS)}' >&2; exit 1; }}"
    )


def _stages(
    chosen: Manager, base: str, build: list[str], hooked: bool, *, ship: bool
) -> list[Stage]:
    """Install, and build. What is to be shipped is installed by itself, without development's.

    Where installing needs the source (`hooked`), all happens after it was copied.
    """
    tool = f"npm install --global {chosen.tool}"
    tools = [Step(f"get {chosen.tool}", [tool], caches=["/root/.npm"])] if chosen.tool else []
    files, caches = ["."] if hooked else chosen.files, [chosen.cache]
    every = Step("install what the build needs", [chosen.install], files, caches)
    lean = Step("install the dependencies", [chosen.lean], files, caches)
    if not ship:
        steps = [*tools, every, Step("build", build, ["."])]
        return [Stage("build", base, steps, chosen.environment)]
    if hooked:
        steps = [*tools, every, Step("build", [*build, chosen.prune], ["."], caches)]
        return [Stage("build", base, steps, chosen.environment)]
    stages = [Stage("dependencies", base, [*tools, lean], chosen.environment)]
    if build:
        # The dependencies are shipped from the stage before.
        last = Step("build", [*build, "rm -rf node_modules"], ["."])
        stages.append(Stage("build", "dependencies", [every, last]))
    return stages


def _parts(stages: list[Stage]) -> list[Part]:
    # Owned, since it is what makes the folder that the source is laid into.
    modules = Part(f"{HOME}/node_modules", f"{HOME}/node_modules", "dependencies")
    if stages[0].name != "dependencies":
        return [Part(HOME, HOME, "build")]
    return [modules, SOURCE if len(stages) == 1 else Part(HOME, HOME, "build")]
