"""Secrets at rest: AES-256-GCM under a key per organization, sealed by the master key."""

import hashlib
import hmac
import os
from dataclasses import dataclass
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE = 12
_KEY = 32
_DATA_KEY = b"barque data key"


class VaultError(Exception):
    """A secret could not be opened: another key sealed it, or it was tampered with."""


@dataclass(frozen=True, slots=True)
class MasterKey:
    """The key of all data keys.

    `identity` tells the platform from others, also after its first key was replaced. While that is
    being done, some data keys are still sealed by the key `before`.
    """

    key: bytes
    identity: str
    before: bytes | None = None

    @classmethod
    def first(cls, key: bytes) -> "MasterKey":
        """Return the first key of a platform, which gives it its identity."""
        return cls(key, hmac.new(key, b"barque platform", hashlib.sha256).hexdigest()[:16])

    def successor(self) -> "MasterKey":
        """Return a new key of the same platform, beside which this one still opens."""
        return MasterKey(os.urandom(_KEY), self.identity, self.key)

    def alone(self) -> "MasterKey":
        """Return this key, without the one before."""
        return MasterKey(self.key, self.identity)


class Vault:
    """Seals and opens secrets."""

    def __init__(self, master: MasterKey) -> None:
        self._master = AESGCM(master.key)
        self._before = AESGCM(master.before) if master.before is not None else None
        self._identity = master.identity

    def new_data_key(self) -> bytes:
        """Return a new data key, sealed by the master key."""
        return _seal(self._master, os.urandom(_KEY), _DATA_KEY)

    def renewed(self, data_key: bytes) -> bytes:
        """Return a data key sealed by the present master key. Raises `VaultError`."""
        return _seal(self._master, self._plain(data_key), _DATA_KEY)

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
        key = self._plain(data_key)
        return hmac.new(b"fingerprint" + key, text.encode(), hashlib.sha256).hexdigest()[:16]

    def identity(self) -> str:
        """Return what tells this platform from others."""
        return self._identity

    def _unsealed(self, data_key: bytes) -> AESGCM:
        return AESGCM(self._plain(data_key))

    def _plain(self, data_key: bytes) -> bytes:
        try:
            return _open(self._master, data_key, _DATA_KEY)
        except VaultError:
            if self._before is None:
                raise
            return _open(self._before, data_key, _DATA_KEY)


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


class _Kept(msgspec.Struct):
    """A master key that is not the platform's first, as its file holds it."""

    key: bytes
    identity: str
    before: bytes | None = None


def load_master_key(path: Path, explicit: str | None) -> MasterKey:
    """Return the master key: derived from the setting, or kept in a file (0600).

    Raises `ValueError` for a setting of under 32 characters, and a file that holds no key.
    """
    if explicit is not None:
        if len(explicit) < 32:
            raise ValueError("BARQUE_SECRET_KEY must have at least 32 random characters")
        return MasterKey.first(hashlib.sha256(explicit.encode()).digest())
    if not path.exists():
        write_private(path, os.urandom(_KEY))
    held = path.read_bytes()
    if len(held) == _KEY:
        return MasterKey.first(held)
    try:
        kept = msgspec.json.decode(held, type=_Kept)
    except msgspec.MsgspecError:
        raise ValueError(f"{path} holds no master key") from None
    return MasterKey(kept.key, kept.identity, kept.before)


def keep_master_key(path: Path, master: MasterKey) -> None:
    """Keep a master key in its file, whole or not at all."""
    if master == MasterKey.first(master.key):
        write_private(path, master.key)
    else:
        kept = _Kept(master.key, master.identity, master.before)
        write_private(path, msgspec.json.encode(kept))


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    fresh = path.with_name(path.name + ".new")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
