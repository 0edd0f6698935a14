"""Lines of logs, out of the events that carry them."""

import json
import logging
from collections.abc import Callable, Iterator

from barque.client.events import Event
from barque.client.shapes import Line

OnGap = Callable[[int | None], None]


def report_gap(lines: int | None) -> None:
    """Log a warning about lines that are no longer kept."""
    logging.getLogger(__name__).warning("%s lines are no longer kept", lines or "some")


def lines_of(event: Event) -> Iterator[str]:
    """Return the text of the line that an event carries, if it does."""
    if event.kind == "message" and event.data:
        yield json.loads(event.data)["text"]


def rows_of(on_gap: OnGap) -> Callable[[Event], Iterator[Line]]:
    """Return what turns events into lines with their stamps; gaps are told to `on_gap`."""

    def each(event: Event) -> Iterator[Line]:
        if event.kind == "gap":
            on_gap(json.loads(event.data)["lines"])
        elif event.kind == "message" and event.data:
            yield json.loads(event.data)

    return each
