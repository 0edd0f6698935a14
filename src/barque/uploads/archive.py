"""Reading an archive that nobody vouches for: in bounded memory, in linear time, or not at all.

`tarfile` reads each header. It is not let loose on the whole: it would take names and sparse maps
of any size into memory, and follow whatever one header says of the next.
"""

import gzip
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Literal

from barque.uploads.names import ArchiveError, Names, link_target, printable

_BLOCK = 512
_CHUNK = 64 * 1024
_GZIP = b"\x1f\x8b"
# What is written before a file to say more of it: a long name, or records of extended attributes.
_MORE_LIMIT = 64 * 1024
_PAX, _PAX_GLOBAL = (tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE), tarfile.XGLTYPE
_LONG = {tarfile.GNUTYPE_LONGNAME: "path", tarfile.GNUTYPE_LONGLINK: "linkpath"}
_KINDS: dict[bytes, Literal["file", "folder", "link", "twin"]] = {
    tarfile.REGTYPE: "file", tarfile.AREGTYPE: "file", tarfile.CONTTYPE: "file",
    tarfile.DIRTYPE: "folder", tarfile.SYMTYPE: "link", tarfile.LNKTYPE: "twin",
}  # fmt: skip
_SPECIAL = {
    tarfile.CHRTYPE: "a device", tarfile.BLKTYPE: "a device", tarfile.FIFOTYPE: "a named pipe",
    tarfile.GNUTYPE_SPARSE: "a sparse file",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much an archive may hold: bytes when unpacked, and files, folders and links."""

    size: int
    entries: int = 100_000


@dataclass(frozen=True, slots=True)
class Entry:
    """A file, a folder, a symbolic link, or a `twin`: another name of an earlier file.

    `name` and `target` are safe within any empty folder: the folder that `name` lies in came
    before, nothing else has that name, and a link leads to within. `data` is to be read, if at
    all, before the next entry.
    """

    name: str
    kind: Literal["file", "folder", "link", "twin"]
    target: str
    executable: bool
    data: Iterator[bytes]


def entries(file: BinaryIO, bounds: Bounds) -> Iterator[Entry]:
    """Read a tar archive, plain or compressed with gzip. Raises `ArchiveError`, nothing else.

    An archive is only known to be sound when the last entry was read.
    """
    names = Names(bounds.entries)
    with _plain(file) as plain:
        stream = _Stream(plain, bounds.size)
        while (header := _next(stream)) is not None:
            more, info = header
            yield from _entry(stream, names, more, info)
        stream.drain()


class _Stream:
    """What is left of an archive, of which no more than `limit` bytes are read."""

    def __init__(self, file: BinaryIO, limit: int) -> None:
        self._file = file
        self._limit = limit
        self._left = limit

    def exactly(self, size: int) -> bytes:
        """Read so many bytes, which are few. Raises `ArchiveError` when there are fewer."""
        data = self._read(size)
        while len(data) < size:
            more = self._read(size - len(data))
            if not more:
                raise _cut_short()
            data += more
        return data

    def data(self, size: int) -> Iterator[bytes]:
        """Read a file's bytes, and what fills up its last block."""
        for start in range(0, size, _CHUNK):
            yield self.exactly(min(_CHUNK, size - start))
        self.exactly(-size % _BLOCK)

    def drain(self) -> None:
        """Read to the end, where the decompressor knows whether all was right."""
        while self._read(_CHUNK):
            pass

    def _read(self, size: int) -> bytes:
        try:
            data = self._file.read(size)
        except (EOFError, zlib.error, gzip.BadGzipFile):
            raise _cut_short() from None
        self._left -= len(data)
        if self._left < 0:
            raise ArchiveError(
                f"the source is over {self._limit // 2**20} MiB when it is unpacked: leave out "
                "what no build needs with .gitignore or .dockerignore, or raise "
                "BARQUE_UPLOAD_UNPACKED_MB"
            )
        return data


def _plain(file: BinaryIO) -> BinaryIO:
    start = file.read(2)
    file.seek(0)
    if start == _GZIP:
        return gzip.GzipFile(fileobj=file, mode="rb")  # type: ignore[return-value]
    return file


def _next(stream: _Stream) -> tuple[dict[str, str], tarfile.TarInfo] | None:
    """Read the next header and what was said before it, or None at the end."""
    more: dict[str, str] = {}
    for _ in range(6):
        block = stream.exactly(_BLOCK)
        if not any(block):
            return None
        info = _header(block)
        if info.type not in (*_PAX, _PAX_GLOBAL, *_LONG):
            return more, info
        if not 0 <= info.size <= _MORE_LIMIT:
            raise ArchiveError("the archive has a name or an attribute that is far too long")
        said = b"".join(stream.data(info.size))
        if info.type in _LONG:
            more[_LONG[info.type]] = _text(said.rstrip(b"\0"))
        elif info.type in _PAX:
            more |= _records(said)
    raise ArchiveError("the archive is no sound tar archive: it says too much of one file")


def _header(block: bytes) -> tarfile.TarInfo:
    try:
        return tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        raise ArchiveError(
            "the body is no sound tar archive: send one as 'tar -cz .' makes it, or use "
            "'barque deploy --source .'"
        ) from None


def _records(said: bytes) -> dict[str, str]:
    """Read records of the form `length name=value\\n`, of which each says its own length."""
    found: dict[str, str] = {}
    start = 0
    while start < len(said):
        digits, _, _ = said[start : start + 8].partition(b" ")
        end = start + (int(digits) if digits.isdigit() else 0)
        name, equals, value = said[start + len(digits) + 1 : end].partition(b"=")
        if not equals or not value.endswith(b"\n") or end > len(said):
            raise ArchiveError("the archive has an extended header that cannot be read")
        found[_text(name)] = _text(value[:-1])
        start = end
    return found


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def _entry(
    stream: _Stream, names: Names, more: dict[str, str], info: tarfile.TarInfo
) -> Iterator[Entry]:
    kind, size = _KINDS.get(info.type), _size(more, info)
    said = more.get("path", info.name)
    if kind is None or any(name.startswith("GNU.sparse") for name in more):
        what = _SPECIAL.get(info.type, "a sparse file" if kind else "of an unknown kind")
        raise ArchiveError(f"{printable(said)} is {what}: only files, folders and links are taken")
    name, folders = names.take(said, kind)
    for folder in folders:
        yield Entry(folder, "folder", "", False, iter(()))
    if name is None:
        return
    target, given = "", more.get("linkpath", info.linkname)
    if kind == "link":
        target = link_target(name, given)
    elif kind == "twin":
        target = names.file(name, given)
    # Only a file has data, whatever the header says.
    data = stream.data(size) if kind == "file" else iter(())
    yield Entry(name, kind, target, bool(info.mode & 0o100), data)
    for _ in data:
        pass


def _size(more: dict[str, str], info: tarfile.TarInfo) -> int:
    said = more.get("size", "")
    size = int(said) if said.isascii() and said.isdigit() and len(said) < 20 else info.size
    if size < 0:
        raise ArchiveError(f"{printable(info.name)} has a size below nothing")
    return size


def _cut_short() -> ArchiveError:
    return ArchiveError("the archive is cut short or damaged: send it again")
