"""A plan as a Dockerfile that people can read, and go on from."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from barque.plans.plan import HOME, Part, Plan, PlanError, Stage, Step

CA_BUNDLE = "BARQUE_CA_BUNDLE"
# Whoever the processes run as: no more than a number is needed of a user.
USER = "1000:1000"
_SECRETS = "/run/secrets"
_TRUSTING = (
    "SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "PIP_CERT", "NODE_EXTRA_CA_CERTS",
    "GIT_SSL_CAINFO",
)  # fmt: skip
_IGNORED = (".git", "**/.git", "**/node_modules", "**/__pycache__", "**/*.pyc", "**/.venv")


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a build gets beside the source: the names of variables and secrets, never values.

    `ca_bundle` says that certificates to trust are given, and `scope` sets the caches of one
    service apart from those of all others.
    """

    arguments: Sequence[str] = ()
    secrets: Sequence[str] = ()
    ca_bundle: bool = False
    scope: str = ""


NO_INPUTS = Inputs()


def dockerfile(plan: Plan, inputs: Inputs = NO_INPUTS) -> str:
    """Write a plan as a Dockerfile. Raises `PlanError` for a command of several lines."""
    title = f"{plan.provider} {plan.version}" if plan.version else plan.provider
    lines = [
        f"# Made by Barque for {_comment(title)}. A Dockerfile in the repository takes its place.",
        *(f"# - {_comment(reason)}" for reason in plan.reasons),
    ]
    for stage in plan.stages:
        lines += ["", *_stage(stage, inputs, {one.name for one in plan.stages})]
    lines += ["", f"FROM {plan.base}"]
    lines += _environment({**plan.environment, "HOME": HOME}, plan.path)
    copies, work = [_copy(part) for part in plan.parts], [f"WORKDIR {HOME}"]
    # A part makes the folder with its owner, before it is only a place to work in. When none does,
    # the folder comes first, since then it is the same in each build.
    owned = any(part.target.startswith(HOME) for part in plan.parts)
    lines += [*copies, *work] if owned else [*work, *copies]
    lines.append(f"USER {USER}")
    command = plan.processes.get("web") or next(iter(plan.processes.values()), None)
    if command:
        words = ["/bin/sh", "-c", command]
        lines.append(f"CMD {json.dumps(words, ensure_ascii=False)}")
    return "\n".join(lines) + "\n"


def ignored(plan: Plan, own: str | None) -> str:
    """Write what of the repository is not copied: what its `.dockerignore` (`own`) says, too."""
    needed = [f"!{path}" for path in dict.fromkeys(plan.needs()) if path != "."]
    return "\n".join([*_IGNORED, *(own or "").splitlines(), *needed]) + "\n"


def _stage(stage: Stage, inputs: Inputs, stages: set[str]) -> Iterator[str]:
    yield f"FROM {stage.base} AS {stage.name}"
    if stage.base not in stages:
        yield f"WORKDIR {HOME}"
        if inputs.ca_bundle:
            trust = dict.fromkeys(_TRUSTING, f"{_SECRETS}/{CA_BUNDLE}")
            yield from _environment(trust, [])
    yield from _environment(stage.environment, stage.path)
    # Named before they are used, and again in each stage, as the language wants it.
    yield from (f"ARG {name}" for name in inputs.arguments)
    present: set[str] = set()
    for step in stage.steps:
        needs = [path for path in step.needs if path not in present]
        present |= set(needs)
        if "." in needs:
            yield "COPY . ."
        elif needs:
            yield from _copy_files(needs)
        yield from _run(step, inputs)


def _copy_files(paths: Sequence[str]) -> Iterator[str]:
    """Copy files, each to its own folder; those of one folder together."""
    folders: dict[str, list[str]] = {}
    for path in paths:
        folders.setdefault(f"./{path.rpartition('/')[0]}".rstrip("/") + "/", []).append(path)
    for folder, files in folders.items():
        yield f"COPY {' '.join(files)} {folder}"


def _run(step: Step, inputs: Inputs) -> Iterator[str]:
    mounts = [_cache(folder, inputs.scope) for folder in step.caches]
    names = [*inputs.secrets, *([CA_BUNDLE] if inputs.ca_bundle else [])]
    mounts += [f"--mount=type=secret,id={name}" for name in names]
    exports = [f'export {name}="$(cat {_SECRETS}/{name})"' for name in inputs.secrets]
    commands = " \\\n && ".join(_line(command) for command in (*exports, *step.commands))
    yield f"# {_comment(step.title)}"
    yield "RUN " + " \\\n    ".join([*mounts, commands])


def _cache(folder: str, scope: str) -> str:
    identity = f"id={scope}{folder}," if scope else ""
    # Package managers do not all bear another one in their cache.
    return f"--mount=type=cache,{identity}target={folder},sharing=locked"


def _copy(part: Part) -> str:
    origin = f"--from={part.stage} " if part.stage else ""
    owner = f"--chown={USER} " if part.owned else ""
    return f"COPY {origin}{owner}{part.source} {part.target}"


def _environment(values: Mapping[str, str], path: Sequence[str]) -> list[str]:
    found = [f"{name}={json.dumps(value)}" for name, value in values.items()]
    if path:
        found.append(f'PATH="{":".join(path)}:$PATH"')
    return ["ENV " + " \\\n    ".join(found)] if found else []


def _line(command: str) -> str:
    """Return a command that stays within its own instruction."""
    if not command.isprintable() or command.rstrip().endswith("\\") or "<<" in command:
        raise PlanError("a command of the plan does not fit in one line")
    return command


def _comment(text: str) -> str:
    return re.sub(r"\s+", " ", "".join(char if char.isprintable() else " " for char in text))
