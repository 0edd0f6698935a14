"""A file under a passphrase: AES-256-GCM, chunk by chunk, with a key from scrypt.

After the header (a line that says what this is, a salt, and half a nonce) come chunks of one size,
each sealed with its number and with whether it is the last: none can be changed, moved or left out
without being noticed, and none is given out before it was checked.
"""

import io
import os
from typing import IO, TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

MAGIC = b"barque backup, sealed, 1\n"
_SALT, _PREFIX, _TAG = 16, 7, 16
_CHUNK = 1024 * 1024
# What deriving a key costs, also whoever guesses: 128 MiB and a good part of a second.
_N, _R, _P = 2**17, 8, 1


class Unsealable(Exception):
    """The passphrase is not the right one, or the file was damaged."""


class _Chunks:
    """The key and the nonces of one file."""

    def __init__(self, header: bytes, passphrase: str) -> None:
        salt = header[len(MAGIC) : len(MAGIC) + _SALT]
        key = Scrypt(salt=salt, length=32, n=_N, r=_R, p=_P).derive(passphrase.encode())
        self._cipher = AESGCM(key)
        self._header = header
        self._count = 0

    def seal(self, plain: bytes, *, last: bool) -> bytes:
        return self._cipher.encrypt(self._nonce(last), plain, self._header)

    def open(self, sealed: bytes, *, last: bool) -> bytes:
        try:
            return self._cipher.decrypt(self._nonce(last), sealed, self._header)
        except InvalidTag:
            raise Unsealable(
                "the backup cannot be opened: give the passphrase that it was made with"
                if self._count == 1
                else "the backup is damaged, or cut off: take another"
            ) from None

    def _nonce(self, last: bool) -> bytes:
        number, self._count = self._count, self._count + 1
        return self._header[-_PREFIX:] + number.to_bytes(4) + bytes([last])


class Sealing(io.RawIOBase):
    """Writes what is written to it into `file`, sealed; closing it writes the last chunk."""

    def __init__(self, file: IO[bytes], passphrase: str) -> None:
        header = MAGIC + os.urandom(_SALT + _PREFIX)
        self._file, self._chunks = file, _Chunks(header, passphrase)
        self._waiting = bytearray()
        file.write(header)

    def writable(self) -> bool:
        """Tell that it can be written to."""
        return True

    def write(self, data: "ReadableBuffer", /) -> int:
        """Seal and write as many whole chunks as there are."""
        self._waiting += data
        # One chunk waits until there is more, since it may be the last.
        while len(self._waiting) > _CHUNK:
            self._file.write(self._chunks.seal(bytes(self._waiting[:_CHUNK]), last=False))
            del self._waiting[:_CHUNK]
        return memoryview(data).nbytes

    def close(self) -> None:
        """Write what is left; the file below stays open."""
        if not self.closed:
            self._file.write(self._chunks.seal(bytes(self._waiting), last=True))
        super().close()


class Opened(io.RawIOBase):
    """Reads what `Sealing` wrote into `file`, from its start. Reading raises `Unsealable`."""

    def __init__(self, file: IO[bytes], passphrase: str) -> None:
        header = file.read(len(MAGIC) + _SALT + _PREFIX)
        self._file, self._chunks = file, _Chunks(header, passphrase)
        self._next: bytes = file.read(_CHUNK + _TAG)
        self._plain = memoryview(b"")
        self._ended = False

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        """Give out what was checked, and check one more chunk when that is used up."""
        while not self._plain and not self._ended:
            sealed, self._next = self._next, self._file.read(_CHUNK + _TAG)
            self._ended = not self._next
            self._plain = memoryview(self._chunks.open(sealed, last=self._ended))
        target = memoryview(buffer).cast("B")
        some = self._plain[: len(target)]
        target[: len(some)] = some
        self._plain = self._plain[len(some) :]
        return len(some)
