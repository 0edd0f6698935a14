"""npm, pnpm and Yarn: what each needs, and how it installs."""

import re
from dataclasses import dataclass, field

from barque.plans.source import Source, text_of
from barque.plans.tree import Tree

_NPM_CACHE = "/root/.npm"
_PNPM_STORE = "/root/.pnpm-store"
_YARN_CACHE = "/root/.cache/yarn"
_PINNED = re.compile(r"(npm|pnpm|yarn)@(\d{1,4}(?:\.\d{1,4}){0,2})(?:\+.*)?")
_LOCK_VERSION = re.compile(r"^lockfileVersion: *'?(\d+)", re.M)


@dataclass(frozen=True, slots=True)
class Manager:
    """How one package manager does what a build asks of it: `lean` is without development's.

    `tool` is the package that brings it, where npm alone is there; `files` are what it reads of
    the repository; `run` is followed by the name of a script.
    """

    reason: str
    files: list[str]
    install: str
    lean: str
    prune: str
    run: str
    cache: str
    tool: str | None = None
    environment: dict[str, str] = field(default_factory=dict)


def manager(source: Source, package: dict[str, object]) -> Manager:
    """Choose by the lock file, and without one by `packageManager`; npm where neither says."""
    tree = source.tree
    pinned = _PINNED.fullmatch(text_of(package.get("packageManager")) or "")
    name, version = (pinned[1], pinned[2]) if pinned else ("", None)
    if tree.has("pnpm-lock.yaml") or name == "pnpm":
        return _pnpm(tree, version if name == "pnpm" else None)
    if tree.has("yarn.lock") or name == "yarn":
        return _yarn(tree, version if name == "yarn" else None)
    return _npm(tree, version)


def _present(tree: Tree, *names: str) -> list[str]:
    return [name for name in names if tree.has(name)]


def _npm(tree: Tree, version: str | None) -> Manager:
    locks = _present(tree, "package-lock.json", "npm-shrinkwrap.json")
    command = "npm ci" if locks else "npm install"
    reason = f"dependencies: {locks[0]}, with npm" if locks else _unlocked("package-lock.json")
    return Manager(
        reason, ["package.json", *locks, *_present(tree, ".npmrc")], command,
        f"{command} --omit=dev", "npm prune --omit=dev --ignore-scripts", "npm run", _NPM_CACHE,
        tool=f"npm@{version}" if version else None,
        environment={"npm_config_update_notifier": "false", "npm_config_fund": "false"},
    )  # fmt: skip


def _pnpm(tree: Tree, version: str | None) -> Manager:
    locks = _present(tree, "pnpm-lock.yaml")
    frozen = " --frozen-lockfile" if locks else ""
    install = f"pnpm install{frozen} --store-dir {_PNPM_STORE}"
    reason = "dependencies: pnpm-lock.yaml, with pnpm" if locks else _unlocked("pnpm-lock.yaml")
    more = _present(tree, ".npmrc", "pnpm-workspace.yaml", ".pnpmfile.cjs")
    return Manager(
        reason, ["package.json", *locks, *more], install, f"{install} --prod",
        "pnpm prune --prod --ignore-scripts", "pnpm run", _PNPM_STORE,
        tool=f"pnpm@{version or _pnpm_of(tree)}",
        # Without a terminal it would stop where it means to ask.
        environment={"CI": "true"},
    )  # fmt: skip


def _pnpm_of(tree: Tree) -> int:
    """Return the version of pnpm that writes the lock file's format."""
    match = _LOCK_VERSION.search((tree.text("pnpm-lock.yaml") or "")[:1000])
    return {5: 7, 6: 8}.get(int(match[1]) if match else 9, 9)


def _yarn(tree: Tree, version: str | None) -> Manager:
    locks = _present(tree, "yarn.lock")
    reason = "dependencies: yarn.lock, with Yarn" if locks else _unlocked("yarn.lock")
    files = ["package.json", *locks, *_present(tree, ".npmrc", ".yarnrc", ".yarnrc.yml")]
    text = tree.text("yarn.lock") or ""
    if "__metadata:" in text[:2000] or (version and not version.startswith("1")):
        return Manager(
            reason, files, "yarn install --immutable", "yarn workspaces focus --production",
            "yarn workspaces focus --production", "yarn run", _YARN_CACHE,
            tool=f"@yarnpkg/cli-dist@{version or 4}",
            environment={
                "YARN_NODE_LINKER": "node-modules", "YARN_ENABLE_GLOBAL_CACHE": "true",
                "YARN_GLOBAL_FOLDER": _YARN_CACHE, "YARN_ENABLE_TELEMETRY": "false",
            },
        )  # fmt: skip
    install = "yarn install" + (" --frozen-lockfile" if locks else "")
    return Manager(
        reason, files, install, f"{install} --production",
        "yarn install --production --ignore-scripts --prefer-offline", "yarn run", _YARN_CACHE,
        tool=f"yarn@{version or 1}", environment={"YARN_CACHE_FOLDER": _YARN_CACHE},
    )  # fmt: skip


def _unlocked(lock: str) -> str:
    return (
        "dependencies: package.json; there is no lock file, so each new install may choose other "
        f"versions: add {lock}"
    )
