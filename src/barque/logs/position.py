"""How far the output of a container was read, told by the stamps that the engine gave its lines.

Stamps neither grow strictly nor are unique: a line is stamped when it begins and stored when it
ends, both outputs have a clock's tick in common, and the clock may be set back. What is sure is
the order in which the engine keeps the lines, of which it lets the oldest go.
"""

from datetime import datetime, timedelta

import msgspec

from barque.runtimes.port import OutputLine

# What is written later may still be stamped so much earlier.
_DISORDER = timedelta(seconds=1)
# How much of a file is known when it is told a second time: about as many lines as it can have.
_RECENT = 100_000
_TEN_SECONDS = len("2026-01-01T00:00:0")


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

    def past(self, line: OutputLine) -> "Position":
        """Return the position after one more line."""
        if line.at > self.newest:
            return Position(line.at, 1, line.at)
        return Position(self.newest, self.count + 1, min(self.oldest, line.at))


class Unread:
    """Leaves out of what the engine tells what was read before; `position` is where that ends.

    It tells again all from `position.since` on. And an engine that begins another file, every so
    many megabytes, may begin to tell that file a second time.
    """

    def __init__(self, position: Position) -> None:
        self.position = position
        self._left = position.count
        self._reached = self._again = False
        self._told = _Recent()

    def among(self, lines: list[OutputLine]) -> list[OutputLine]:
        """Return the lines that were not read yet; to be called with all lines, in order."""
        found, before = [], "" if self._left else self.position.newest
        for line in lines:
            if self._is_new(line, before):
                self.position = self.position.past(line)
                self._told.add(line)
                found.append(line)
        return found

    def _is_new(self, line: OutputLine, before: str) -> bool:
        newest = self.position.newest
        # A later stamp than any that was read: if there is more to skip, the engine let it go.
        if not self._left or line.at > newest:
            self._left = 0
            # Two lines of one stamp may look alike, but then they come together.
            earlier = self._again or line.at < newest or line.at == before
            self._again = earlier and line in self._told
            return not self._again
        self._reached = self._reached or line.at == newest
        self._left -= self._reached
        return False


class _Recent:
    """The lines of the last seconds, or the last so many: in two generations."""

    def __init__(self) -> None:
        self._young: set[int] = set()
        self._old: set[int] = set()
        self._since = ""

    def __contains__(self, line: OutputLine) -> bool:
        one = hash((line.at, line.stream, line.text))
        return one in self._young or one in self._old

    def add(self, line: OutputLine) -> None:
        since = line.at[:_TEN_SECONDS]
        if since > self._since or len(self._young) >= _RECENT:
            self._old, self._young, self._since = self._young, set(), since
        self._young.add(hash((line.at, line.stream, line.text)))
