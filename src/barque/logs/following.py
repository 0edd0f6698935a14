"""A stream of lines as server-sent events: lines, what is gone, where to resume, the end."""

from collections.abc import Callable
from typing import Any

import msgspec

from barque.logs.file import LogFile, Page
from barque.logs.lines import ALL, Line, Wanted
from barque.store.tables import now

# Seconds that a line stamped before `until` has to arrive.
_LATE = 2.0


def end(status: str) -> bytes:
    """Return the event after which nothing comes."""
    return _event("end", {"status": status})


class Follower:
    """Somebody who was sent every wanted line up to the id `after`."""

    def __init__(self, after: int, wanted: Wanted, show: Callable[[Line], Any]) -> None:
        self._after = after
        self._wanted = wanted
        self._show = show
        self._told = 0

    def ask(self, stream: str, count: int) -> Callable[[LogFile], Page]:
        """Return how to read what comes next."""
        after = self._after
        return lambda file: file.page(stream, self._wanted, after, count)

    def take(self, page: Page) -> bytes:
        """Return what was read as events; what is gone is told of where it would have been."""
        events = []
        if self._wanted != ALL and page.gone > max(self._after, self._told):
            # How many of them were wanted, nobody knows any more.
            events.append(_gap(None))
            self._told = page.gone
        for line in page.lines:
            # All lines together count up by one.
            missing = line.id - self._after - 1
            if self._wanted == ALL and missing:
                events.append(_gap(missing))
            events.append(
                b"id: %d\ndata: %s\n\n" % (line.id, msgspec.json.encode(self._show(line)))
            )
            self._after = line.id
        self._after = page.upto
        return b"".join(events)

    def place(self) -> bytes:
        """Return where to resume, without a line: a sign of life as well."""
        return b"id: %d\n\n" % self._after

    def status(self) -> str | None:
        """Tell whether there is an end to what is wanted, and it has come."""
        return "until" if self._left() <= 0 else None

    def patience(self, most: float) -> float:
        """Return the seconds to wait for more."""
        return max(0.0, min(most, self._left()))

    def _left(self) -> float:
        if self._wanted.until is None:
            return float("inf")
        return (self._wanted.until - now()).total_seconds() + _LATE


def _gap(lines: int | None) -> bytes:
    return _event("gap", {"lines": lines})


def _event(kind: str, data: Any) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (kind.encode(), msgspec.json.encode(data))
