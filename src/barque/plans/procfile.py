"""Reading a Procfile: which processes an image runs."""

import re

from barque.plans.plan import PlanError

_TYPE = r"[A-Za-z0-9_-]{1,63}"
_LINE = re.compile(rf"(?P<type>{_TYPE}):\s*(?P<command>\S.*)")


def is_process_type(name: str) -> bool:
    """Tell whether a process type may be called so."""
    return re.fullmatch(_TYPE, name) is not None


def parse_procfile(text: str) -> dict[str, str]:
    """Return each process type with its command. Raises `PlanError`, which names the line."""
    processes: dict[str, str] = {}
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise PlanError(f"line {number} of the Procfile is not 'type: command'")
        if match["type"] in processes:
            raise PlanError(f"line {number} of the Procfile names '{match['type']}' again")
        processes[match["type"]] = match["command"]
    return processes
