"""Archives that mean harm, drawn at random, and a folder in which harm can be seen.

Whatever an archive says, its names lead no further than to the canaries: a test that fails writes
into its own folder.
"""

import contextlib
import gzip
import io
import os
import random
import shutil
import stat
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from barque.uploads.archive import Bounds
from barque.uploads.names import ArchiveError
from barque.uploads.unpacking import check, unpack

SAFE = "canary"
# Small, so that archives that are over them are as well.
BOUNDS = Bounds(size=64 * 1024, entries=12)
_PARTS = ("a", "b", "c", ".", "..", "", "é", "x" * 90, "x" * 260, "\udcff", "a\nb", "-rf", "CON")
_USUAL = (stat.S_ISREG, stat.S_ISDIR, stat.S_ISLNK)
_KINDS = b"0000000\x0055512122345673LKxgXS!"


@dataclass(frozen=True)
class Nest:
    """A folder deep below canaries: however far names and links climb, they meet one."""

    top: Path
    depth: int = 64

    @property
    def folder(self) -> Path:
        return self.top.joinpath(*["nest"] * self.depth)

    def make(self) -> None:
        self.folder.mkdir(parents=True)
        for folder in (self.top, *self._between()):
            (folder / SAFE).write_text("untouched")

    def seen(self) -> dict[str, str]:
        """Tell all that there is but for what was unpacked into."""
        return {
            str(path.relative_to(self.top)): path.read_text() if path.is_file() else ""
            for folder in (self.top, *self._between())
            for path in folder.iterdir()
        }

    def _between(self) -> list[Path]:
        return [self.top.joinpath(*["nest"] * depth) for depth in range(1, self.depth + 1)]


class Cases:
    """Archives, the same for the same seed."""

    def __init__(self, seed: int, nest: Nest) -> None:
        self._random = random.Random(seed)
        self._nest = nest
        self._drawn = 0
        self._members: list[list[bytes]] = []

    def draw(self) -> bytes:
        """Draw one: headers true to the format, then perhaps bytes changed, cut, or compressed."""
        pick = self._random
        if self._drawn % 2000 == 0:
            self._stock()
        self._drawn += 1
        # Half of them are nearly sound, so that enough is written that could be misled.
        raw = b"".join(pick.choices(pick.choice(self._members), k=pick.randint(1, 3)))
        if pick.random() < 0.9:
            raw += bytes(1024)
        if pick.random() < 0.15:
            raw = self._broken(raw)
        if pick.random() < 0.2:
            raw = gzip.compress(raw, 1, mtime=0)
            if pick.random() < 0.2:
                raw = self._broken(raw)
        return raw

    def _stock(self) -> None:
        """Make members to draw from: to make each anew would take most of the time."""
        self._members = []
        for self._tame in (True, False):
            self._members.append([self._member() for _ in range(200)])

    def _member(self) -> bytes:
        pick = self._random
        info = tarfile.TarInfo(self._name())
        info.type = bytes([pick.choice(b"005522x" if self._tame else _KINDS)])
        info.mode = pick.choice((0o644, 0o755, 0o7777, 0))
        data = b""
        if info.type in (b"x", b"g", b"X"):
            data = self._records()
        elif info.type in (b"L", b"K"):
            data = self._name().encode("utf-8", "surrogateescape") + b"\0"
        elif info.type in (b"1", b"2"):
            info.linkname = self._name()
        elif info.type not in (b"5",):
            data = b"y" * pick.choice((0, 1, 511, 512, 513, 3000, 9000))
        info.size = len(data) if pick.random() < 0.97 else pick.choice((0, 7, 10**6, 10**11))
        form = pick.choice((tarfile.GNU_FORMAT, tarfile.PAX_FORMAT, tarfile.USTAR_FORMAT))
        try:
            header = info.tobuf(form, "utf-8", "surrogateescape")
        except (ValueError, UnicodeError):
            header = info.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape")
        return header + data + bytes(-len(data) % 512)

    def _name(self) -> str:
        pick = self._random
        if self._tame and pick.random() < 0.95:
            return "/".join(pick.choice("abcdefghi") for _ in range(pick.randint(1, 3)))
        kind = pick.random()
        if kind < 0.06:
            # Absolute, and dangerous enough: but only to a canary.
            return f"{self._nest.top}/{SAFE}"
        if kind < 0.2:
            return "../" * pick.randint(1, 6) + SAFE
        if kind < 0.22:
            return "/".join(["d"] * pick.choice((63, 64, 65, 300)))
        return "/".join(pick.choice(_PARTS) for _ in range(pick.randint(1, 4)))

    def _records(self) -> bytes:
        pick = self._random
        said = b""
        for _ in range(pick.randint(0, 3)):
            name = pick.choice((b"path", b"linkpath", b"size", b"mtime", b"GNU.sparse.major", b""))
            value = self._name().encode("utf-8", "surrogateescape")
            value = value if name != b"size" else str(pick.choice((0, 5, -1, 10**20))).encode()
            body = b" %s=%s\n" % (name, value)
            said += str(len(body) + 2).encode() + body if len(body) < 98 else b"99" + body
        return said if pick.random() < 0.9 else said + pick.randbytes(9)

    def _broken(self, raw: bytes) -> bytes:
        pick = self._random
        changed = bytearray(raw)
        for _ in range(pick.randint(1, 4)):
            changed[pick.randrange(len(changed))] = pick.randrange(256)
        return bytes(changed[: pick.randint(1, len(changed))] if pick.random() < 0.5 else changed)


def survives(work: Callable[[BinaryIO], None], raw: bytes) -> bool:
    """Tell whether an archive was taken. Raises whatever is no clear error."""
    try:
        work(io.BytesIO(raw))
    except ArchiveError as error:
        message = str(error)
        assert message.isprintable(), ascii(message)
        assert len(message) < 600
        return False
    return True


def leads_out(into: Path) -> list[str]:
    """List what of the unpacked leads to anywhere else, or is no file, folder or link."""
    root = f"{os.path.realpath(into)}/"
    found = []
    for folder, folders, files in os.walk(into):
        for path in (f"{folder}/{name}" for name in (*folders, *files)):
            mode = os.lstat(path).st_mode
            inside = not stat.S_ISLNK(mode) or f"{os.path.realpath(path)}/".startswith(root)
            if not inside or not any(is_one(mode) for is_one in _USUAL):
                found.append(path)
    return found


def try_all(seed: int, count: int, top: Path) -> int:
    """Try so many archives, and return how many were taken. Raises at the first that does harm."""
    nest = Nest(top)
    nest.make()
    before, cases, taken = nest.seen(), Cases(seed, nest), 0
    # From within, no path is long: most of the time would go into following it.
    into = Path("into")
    with contextlib.chdir(nest.folder):
        for number in range(1, count + 1):
            raw = cases.draw()
            sound = survives(lambda file: unpack(file, into, BOUNDS), raw)
            if number % 5 == 0:
                # What is let in must be what can be unpacked.
                assert survives(lambda file: check(file, BOUNDS), raw) == sound, raw
            taken += sound
            if os.listdir(into):  # noqa: PTH208 - a hundred thousand times
                assert not leads_out(into), raw
                shutil.rmtree(into)
            else:
                into.rmdir()
            if number % 1000 == 0 or number == count:
                assert nest.seen() == before
    return taken
