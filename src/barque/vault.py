"""Secrets at rest: AES-256-GCM under a key per organization, sealed by the master key."""

import hashlib
import hmac
import os
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE = 12
_KEY = 32
_DATA_KEY = b"barque data key"


class VaultError(Exception):
    """A secret could not be opened: another key sealed it, or it was tampered with."""


class Vault:
    """Seals and opens secrets."""

    def __init__(self, master_key: bytes) -> None:
        self._master = AESGCM(master_key)
        self._identity = master_key

    def new_data_key(self) -> bytes:
        """Return a new data key, sealed by the master key."""
        return _seal(self._master, os.urandom(_KEY), _DATA_KEY)

    def opens(self, data_key: bytes) -> bool:
        """Tell whether the master key is the one that sealed a data key."""
        try:
            self._unsealed(data_key)
        except VaultError:
            return False
        return True

    def seal(self, data_key: bytes, text: str, context: str) -> bytes:
        """Seal `text`; it can only be opened with the same `context`."""
        return _seal(self._unsealed(data_key), text.encode(), context.encode())

    def open(self, data_key: bytes, sealed: bytes, context: str) -> str:
        """Open what `seal` made. Raises `VaultError`."""
        return _open(self._unsealed(data_key), sealed, context.encode()).decode()

    def fingerprint(self, data_key: bytes, text: str) -> str:
        """Return what tells equal texts of an organization, and nothing else of them."""
        key = _open(self._master, data_key, _DATA_KEY)
        return hmac.new(b"fingerprint" + key, text.encode(), hashlib.sha256).hexdigest()[:16]

    def identity(self) -> str:
        """Return what tells this platform from others, derived from its master key."""
        return hmac.new(self._identity, b"barque platform", hashlib.sha256).hexdigest()[:16]

    def _unsealed(self, data_key: bytes) -> AESGCM:
        return AESGCM(_open(self._master, data_key, _DATA_KEY))


def _seal(cipher: AESGCM, plain: bytes, context: bytes) -> bytes:
    nonce = os.urandom(_NONCE)
    return nonce + cipher.encrypt(nonce, plain, context)


def _open(cipher: AESGCM, sealed: bytes, context: bytes) -> bytes:
    try:
        return cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], context)
    except InvalidTag:
        raise VaultError(
            "a secret cannot be opened: BARQUE_SECRET_KEY is not the key that sealed it"
        ) from None


def load_master_key(path: Path, explicit: str | None) -> bytes:
    """Return the 32-byte master key: derived from the setting, or kept in a file (0600).

    Raises `ValueError` for a setting of under 32 characters, and a file that holds no key.
    """
    if explicit is not None:
        if len(explicit) < 32:
            raise ValueError("BARQUE_SECRET_KEY must have at least 32 random characters")
        return hashlib.sha256(explicit.encode()).digest()
    if not path.exists():
        write_private(path, os.urandom(_KEY))
    key = path.read_bytes()
    if len(key) != _KEY:
        raise ValueError(f"{path} holds {len(key)} bytes, and a master key has {_KEY}")
    return key


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    fresh = path.with_name(path.name + ".new")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
