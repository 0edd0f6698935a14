"""What a container wrote, read out of the frames in which the engine sends it."""

from dataclasses import dataclass, field
from typing import Literal

from barque.runtimes.port import LONGEST, OutputLine

_HEADER = 8
_KINDS: dict[int, Literal["stdout", "stderr"]] = {1: "stdout", 2: "stderr"}


def frames(raw: bytes) -> tuple[list[tuple[int, bytes]], bytes]:
    """Split bytes into whole frames, each with the number of its output, and what is left."""
    begin, found = 0, []
    while (text := begin + _HEADER) <= len(raw):
        end = text + int.from_bytes(raw[begin + 4 : text])
        if end > len(raw):
            break
        found.append((raw[begin], raw[text:end]))
        begin = end
    return found, raw[begin:]


@dataclass(slots=True)
class _Begun:
    """A line that has not ended yet."""

    at: bytes
    text: bytearray = field(default_factory=bytearray)

    def add(self, text: bytes) -> None:
        # However long a line is, no more of it is held.
        self.text += text[: LONGEST - len(self.text)]


class Output:
    """Turns the bytes of both outputs, however they were cut, into lines.

    The engine sends a long line in pieces, each with the stamp of the first, and what the other
    output wrote meanwhile in between.
    """

    def __init__(self) -> None:
        self._raw = b""
        self._begun: dict[int, _Begun] = {}

    def lines(self, chunk: bytes) -> list[OutputLine]:
        """Return the lines that end in the next bytes."""
        whole, self._raw = frames(self._raw + chunk)
        return [line for kind, said in whole for line in self._frame(kind, said)]

    def rest(self) -> list[OutputLine]:
        """Return the lines that never ended."""
        return [self._ended(kind) for kind in sorted(self._begun)]

    def _frame(self, kind: int, said: bytes) -> list[OutputLine]:
        at, _, text = said.partition(b" ")
        found = []
        if kind in self._begun and self._begun[kind].at != at:
            # What wrote it ended, and was started again.
            found.append(self._ended(kind))
        self._begun.setdefault(kind, _Begun(at)).add(text.removesuffix(b"\n"))
        if text.endswith(b"\n"):
            found.append(self._ended(kind))
        return found

    def _ended(self, kind: int) -> OutputLine:
        begun = self._begun.pop(kind)
        # What ends in an error's description is stored, and no database takes a null character.
        text = begun.text.decode(errors="replace").removesuffix("\r").replace("\0", "\ufffd")
        return OutputLine(begun.at.decode(), _KINDS.get(kind, "stdout"), text)
