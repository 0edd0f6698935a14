"""What processes used in the last minutes, kept while somebody watches them."""

import time
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from typing import Any

KEPT = 60
_SERVICES = 200
# Seconds between two samples of a plot, and for how long the last one stands for the present.
PAUSE = 2.0
_FRESH = 6.0


@dataclass(slots=True)
class Course:
    """The newest figures of one process, oldest first: cores, and bytes."""

    cpu: deque[float] = field(default_factory=lambda: deque(maxlen=KEPT))
    memory: deque[float] = field(default_factory=lambda: deque(maxlen=KEPT))


class Plots:
    """The courses of the processes of services; who was not watched for longest is forgotten."""

    def __init__(self) -> None:
        self._found: OrderedDict[str, dict[str, Course]] = OrderedDict()
        self._last: dict[str, tuple[float, list[Any]]] = {}

    def last(self, service: str) -> list[Any] | None:
        """Return the last sample, unless it is too old to stand for now."""
        at, rows = self._last.get(service, (0.0, []))
        return rows if time.monotonic() - at < _FRESH else None

    def note(self, service: str, rows: list[Any]) -> None:
        """Add a sample, unless the last one was taken just now."""
        at, _ = self._last.get(service, (0.0, []))
        if time.monotonic() - at < PAUSE / 2:
            return
        before = self._found.pop(service, {})
        names = [name_of(row) for row in rows]
        self._found[service] = courses = {name: before.get(name, Course()) for name in names}
        for name, row in zip(names, rows, strict=True):
            courses[name].cpu.append(row["cpu"])
            courses[name].memory.append(row["memory"])
        self._last[service] = (time.monotonic(), rows)
        if len(self._found) > _SERVICES:
            oldest, _ = self._found.popitem(last=False)
            del self._last[oldest]

    def of(self, service: str) -> dict[str, Course]:
        """Return the courses of a service's processes by their names."""
        return self._found.get(service, {})


def name_of(row: Any) -> str:
    """Return the name of a process: its type and index."""
    return f"{row['type']}.{row['index']}"
