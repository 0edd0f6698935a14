"""Server-sent events, read from bytes as they come."""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Event:
    """One server-sent event: `id` resumes after it, `kind` is `message`, `gap` or `end`.

    One without `data` says where to resume, and nothing else.
    """

    id: str
    kind: str
    data: str


class Feed:
    """Turns the bytes of an event stream, however they were cut, into events."""

    def __init__(self) -> None:
        self._rest = b""
        self._fields: dict[str, str] = {}

    def events(self, chunk: bytes) -> Iterator[Event]:
        """Return the events that end in the next bytes."""
        # At line feeds alone: what httpx takes for a line's end may stand in an event.
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            name, _, value = line.decode().partition(": ")
            if line:
                self._fields[name] = value
                continue
            fields, self._fields = self._fields, {}
            kind = fields.get("event", "message")
            yield Event(fields.get("id", ""), kind, fields.get("data", ""))
