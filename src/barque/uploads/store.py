"""Archives that wait for their build: each is kept until its image has ended, also over a kill."""

import asyncio
import os
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from barque.uploads.archive import Bounds
from barque.uploads.names import ArchiveError
from barque.uploads.unpacking import check, unpack

_PART = ".part"


class UploadsUnavailable(Exception):
    """What is brought cannot be put away just now; the message says why."""

    def __init__(self, error: OSError) -> None:
        reason = error.strerror or error
        super().__init__(f"the source cannot be stored now: {reason}: look at the data folder")


class Parcel:
    """An archive that is being received, in a file of its own; afterwards it is closed."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor, name = tempfile.mkstemp(_PART, dir=folder)
        self.file: BinaryIO = os.fdopen(descriptor, "w+b")
        self._path = Path(name)

    async def check(self, bounds: Bounds) -> None:
        """Have it on the disk, and see that it can be unpacked. Raises `ArchiveError`."""
        await asyncio.to_thread(self._check, bounds)

    def keep(self, path: Path) -> None:
        """Give it its lasting name."""
        self._path.rename(path)
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def close(self) -> None:
        """Close it, and remove it unless it was kept."""
        self.file.close()
        self._path.unlink(missing_ok=True)

    def _check(self, bounds: Bounds) -> None:
        self.file.flush()
        os.fsync(self.file.fileno())
        self.file.seek(0)
        check(self.file, bounds)


class Uploads:
    """The archives of a platform, by the ids of the images that are built from them."""

    def __init__(self, folder: Path, bounds: Bounds, limit: int) -> None:
        self._folder = folder
        self.bounds = bounds
        self.limit = limit

    @contextmanager
    def receive(self) -> Iterator[Parcel]:
        """Receive an archive, which is gone at the end unless it was kept.

        Raises `UploadsUnavailable` when the disk is full, or fails.
        """
        try:
            parcel = Parcel(self._folder)
            try:
                yield parcel
            finally:
                parcel.close()
        except ConnectionError:
            raise
        except OSError as error:
            raise UploadsUnavailable(error) from error

    def path(self, image_id: str) -> Path:
        """Return where the archive of an image is."""
        return self._folder / f"{image_id}.tar"

    async def unpack(self, image_id: str, into: Path) -> None:
        """Unpack an image's archive into a folder that is made. Raises `ArchiveError`."""
        await asyncio.to_thread(self._unpack, self.path(image_id), into)

    def discard(self, image_id: str) -> None:
        """Remove the archive of an image, if it has one."""
        self.path(image_id).unlink(missing_ok=True)

    def sweep(self, waiting: Collection[str]) -> None:
        """At the start: remove what no image waits for, and what was half received."""
        if not self._folder.is_dir():
            return
        for file in self._folder.iterdir():
            if file.suffix == _PART or file.stem not in waiting:
                file.unlink(missing_ok=True)

    def _unpack(self, path: Path, into: Path) -> None:
        try:
            with path.open("rb") as file:
                unpack(file, into, self.bounds)
        except FileNotFoundError:
            raise ArchiveError("the uploaded source is gone: upload it again") from None
