"""What processes used in the last minutes, kept while somebody watches them."""

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from barque.errors import BarqueError
from barque.unavailable import UNAVAILABLE

KEPT = 45
_SERVICES = 200
# Seconds between two samples of a plot, and for how long the last one stands for the present.
PAUSE = 2.0
_FRESH = 15.0


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
        self._asking: dict[str, asyncio.Task[None]] = {}

    def last(self, service: str) -> list[Any] | None:
        """Return the last sample, unless it is too old to stand for now."""
        at, rows = self._last.get(service, (0.0, []))
        return rows if time.monotonic() - at < _FRESH else None

    def refresh(self, service: str, ask: Callable[[], Awaitable[list[Any]]]) -> None:
        """Take a sample in the background, unless one is being taken, or was just now."""
        at, _ = self._last.get(service, (-PAUSE, []))
        if service not in self._asking and time.monotonic() - at >= PAUSE:
            self._asking[service] = asyncio.create_task(self._ask(service, ask))

    async def _ask(self, service: str, ask: Callable[[], Awaitable[list[Any]]]) -> None:
        try:
            self.note(service, await ask())
        except (BarqueError, *UNAVAILABLE):
            # What is known grows old, and is then shown no more.
            pass
        finally:
            del self._asking[service]

    def note(self, service: str, rows: list[Any]) -> None:
        """Add a sample."""
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
