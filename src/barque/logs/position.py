"""How far the output of a container was read, told by the stamps that the engine gave its lines.

Stamps neither grow strictly nor are unique: a line is stamped when it begins and stored when it
ends, both outputs have a clock's tick in common, and the clock may be set back. What is sure is
the order in which the engine keeps the lines, of which it lets the oldest go.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from barque.runtimes.port import OutputLine

# What is written later may still be stamped so much earlier.
_DISORDER = timedelta(seconds=1)


class Position(msgspec.Struct, frozen=True):
    """The end of what was read: `count` lines from the first one stamped `newest` on.

    `newest` is the latest stamp of all lines read, `oldest` the earliest of those counted.
    """

    newest: str = ""
    count: int = 0
    oldest: str = ""

    @property
    def since(self) -> str:
        """The stamp from which the engine has to tell again what it kept, or "" for all."""
        if not self.newest:
            return ""
        whole = datetime.fromisoformat(self.oldest[:19]) - _DISORDER
        return f"{whole.isoformat()}Z"

    def past(self, lines: Iterable[OutputLine]) -> "Position":
        """Return the position after further lines."""
        newest, count, oldest = self.newest, self.count, self.oldest
        for line in lines:
            if line.at > newest:
                newest, count, oldest = line.at, 1, line.at
            else:
                count, oldest = count + 1, min(oldest, line.at)
        return Position(newest, count, oldest)


class Unread:
    """Leaves out of what the engine tells again, from `position.since` on, what was read."""

    def __init__(self, position: Position) -> None:
        self._newest = position.newest
        self._left = position.count
        self._reached = False

    def among(self, lines: list[OutputLine]) -> list[OutputLine]:
        """Return the lines that were not read yet; to be called with all lines, in order."""
        for number, line in enumerate(lines):
            # A later stamp than any that was read: the engine has let the rest go.
            if not self._left or line.at > self._newest:
                self._left = 0
                return lines[number:]
            self._reached = self._reached or line.at == self._newest
            self._left -= self._reached
        return []
