"""Reading a Procfile: which processes an image runs."""

import re

from barque.plans.plan import PlanError

_LINE = re.compile(r"(?P<type>[A-Za-z0-9_-]{1,63}):\s*(?P<command>\S.*)")


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
