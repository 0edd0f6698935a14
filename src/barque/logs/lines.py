"""What a line is, which lines are wanted, and where an overlong one is cut."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import msgspec

LONGEST = 32 * 1024
CUT = "… [cut]"
# A moment beyond these may have no neighbour, or none in another zone.
_EARLIEST, _LATEST = datetime(2, 1, 1, tzinfo=UTC), datetime(9998, 1, 1, tzinfo=UTC)


class Entry(NamedTuple):
    """One line, as it was said at `at` (RFC 3339): by an instance, or by the platform itself ("").

    `process` is what the bounds of a stream hold for: each has its own share.
    """

    at: str
    text: str
    process: str = ""
    instance: int = 0


class Line(msgspec.Struct, frozen=True):
    """A line that an instance wrote; `id` grows within the service."""

    id: int
    at: str
    process: str
    index: int
    text: str


class Wanted(msgspec.Struct, frozen=True):
    """Which lines: of one process type, from `since` on, before `until`, that hold `search`.

    `search` is plain text, and matches whatever the case of its letters.
    """

    process: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    search: str | None = None


ALL = Wanted()


def stamp(moment: datetime) -> str:
    """Return a moment such that it sorts among the lines' stamps.

    Without its zone, so that it sorts before every stamp of that moment; and a microsecond
    earlier, since a stamp's nanoseconds may have been rounded up on their way here.
    """
    earlier = min(max(moment, _EARLIEST), _LATEST).astimezone(UTC) - timedelta(microseconds=1)
    return earlier.replace(tzinfo=None).isoformat(timespec="microseconds")


def storable(text: str) -> tuple[str, int]:
    """Return a text as it is stored, and its size in bytes: with a mark where it was cut.

    A null character would end it for the database.
    """
    raw = text.replace("\0", "\ufffd").encode(errors="replace")
    if len(raw) > LONGEST:
        raw = raw[:LONGEST].decode(errors="ignore").encode() + CUT.encode()
    return raw.decode(), len(raw)
