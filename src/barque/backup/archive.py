"""One file of a folder: a compressed tar with a checksum of each file, sealed or not."""

import contextlib
import gzip
import hashlib
import io
import os
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

import msgspec

from barque.backup.cipher import MAGIC, Opened, Sealing
from barque.backup.manifest import FORMAT, BackupError, Manifest

_MANIFEST, _SUMS = "manifest.json", "checksums.json"
_FAST = 3
_PART = 1024 * 1024
_DAMAGED = "the backup is damaged, or cut off: take another"


def write(folder: Path, manifest: Manifest, path: Path, passphrase: str | None) -> None:
    """Write the files of a folder to `path`, for its owner alone, whole or not at all."""
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            with (
                _sealed(file, passphrase) as under,
                gzip.GzipFile(fileobj=under, mode="wb", compresslevel=_FAST, mtime=0) as packed,
                tarfile.open(fileobj=packed, mode="w|") as tar,
            ):
                _fill(tar, folder, manifest)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def read(path: Path, folder: Path, passphrase: str | None) -> Manifest:
    """Unpack a backup into a folder, each file checked. Raises `BackupError`, and `Unsealable`."""
    try:
        with (
            path.open("rb") as file,
            _opened(file, path, passphrase) as under,
            gzip.GzipFile(fileobj=under) as packed,
            tarfile.open(fileobj=packed, mode="r|") as tar,
        ):
            found = _unpack(tar, folder)
            # The archive may end before its file does, of which each byte is to be right.
            while packed.read(_PART):
                pass
            return found
    except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, msgspec.MsgspecError):
        raise BackupError(_DAMAGED) from None


@contextlib.contextmanager
def _sealed(file: IO[bytes], passphrase: str | None) -> Iterator[IO[bytes]]:
    if passphrase is None:
        yield file
        return
    sealing = Sealing(file, passphrase)
    yield sealing  # type: ignore[misc]  # it is as much of a file as is needed
    sealing.close()


@contextlib.contextmanager
def _opened(file: IO[bytes], path: Path, passphrase: str | None) -> Iterator[IO[bytes]]:
    sealed = file.read(len(MAGIC)) == MAGIC
    file.seek(0)
    if not sealed:
        yield file
        return
    if passphrase is None:
        raise BackupError(f"{path} is sealed: give its passphrase with --passphrase-file")
    yield io.BufferedReader(Opened(file, passphrase))


def _fill(tar: tarfile.TarFile, folder: Path, manifest: Manifest) -> None:
    sums: dict[str, str] = {}
    _add_text(tar, _MANIFEST, msgspec.json.encode(manifest), sums)
    for path in sorted(one for one in folder.rglob("*") if one.is_file()):
        name = str(path.relative_to(folder))
        with path.open("rb") as file:
            hashing = _Hashing(file)
            tar.addfile(_member(name, os.fstat(file.fileno()).st_size), hashing)
        sums[name] = hashing.digest.hexdigest()
    # Last of all: a file that lacks it was cut off.
    _add_text(tar, _SUMS, msgspec.json.encode(sums), {})


class _Hashing(io.RawIOBase):
    """A file that is hashed as it is read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self.digest = file, hashlib.sha256()

    def read(self, size: int = -1, /) -> bytes:
        data = self._file.read(size)
        self.digest.update(data)
        return data


def _add_text(tar: tarfile.TarFile, name: str, text: bytes, sums: dict[str, str]) -> None:
    tar.addfile(_member(name, len(text)), io.BytesIO(text))
    sums[name] = hashlib.sha256(text).hexdigest()


def _member(name: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o600
    return member


def _unpack(tar: tarfile.TarFile, folder: Path) -> Manifest:
    sums: dict[str, str] = {}
    stated: dict[str, str] = {}
    for member in tar:
        source = tar.extractfile(member) if member.isreg() else None
        if source is None or not _is_plain(member.name):
            raise BackupError(f"this is no backup of Barque: it holds '{member.name}'")
        if member.name == _SUMS:
            stated = msgspec.json.decode(source.read(), type=dict[str, str])
            continue
        if not sums and member.name != _MANIFEST:
            raise BackupError("this is no backup of Barque: it has no manifest")
        target = folder / member.name
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with open(target, "xb", opener=_privately) as file:
            sums[member.name] = _copy(source, file)
    if not sums or sums != stated:
        raise BackupError(_DAMAGED)
    manifest = folder / _MANIFEST
    found = msgspec.json.decode(manifest.read_bytes(), type=Manifest)
    manifest.unlink()
    if found.format != FORMAT:
        raise BackupError("a newer version of Barque made this backup: restore it with that")
    return found


def _copy(source: IO[bytes], target: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while part := source.read(_PART):
        digest.update(part)
        target.write(part)
    return digest.hexdigest()


def _privately(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _is_plain(name: str) -> bool:
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts
