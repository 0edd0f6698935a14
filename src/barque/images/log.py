"""The log of a build, which ends where it gets too long; the build goes on."""

from collections.abc import Callable


class CutLog:
    """Says the lines of a build until they are over `limit` bytes or `lines`, then that alone."""

    def __init__(self, say: Callable[[str], None], limit: int, lines: int) -> None:
        self._say = say
        self._limit = limit
        self._bytes = 0
        self._lines = lines
        self.cut = False

    def say(self, line: str) -> None:
        """Say one line, or leave it out."""
        if self.cut:
            return
        self._bytes += len(line.encode()) + 1
        self._lines -= 1
        if self._bytes <= self._limit and self._lines >= 0:
            self._say(line)
            return
        self.cut = True
        self._say(
            f"the log is cut here, as it is over {self._limit} bytes (build_log_bytes) or too many "
            "lines (log_lines): the build goes on"
        )
