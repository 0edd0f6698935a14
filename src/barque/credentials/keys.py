"""Private keys for SSH: made, or checked."""

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_ssh_private_key,
)
from cryptography.hazmat.primitives.serialization.ssh import SSHPrivateKeyTypes

_FORM = (Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())


class BadKey(ValueError):
    """It is no private key that can be used; the message says why, and quotes nothing of it."""


def new_key() -> tuple[str, str]:
    """Make a key (Ed25519). Returns the private and the public one, as OpenSSH writes them."""
    return _written(Ed25519PrivateKey.generate())


def read_key(text: str) -> tuple[str, str]:
    """Read a private key. Returns it and its public one, as OpenSSH writes them.

    Raises `BadKey`.
    """
    raw = text.replace("\r\n", "\n").strip().encode() + b"\n"
    load = load_ssh_private_key if b"OPENSSH PRIVATE KEY" in raw else load_pem_private_key
    try:
        return _written(load(raw, None))  # type: ignore[arg-type]
    except TypeError:
        raise BadKey("has a passphrase, which nobody is there to type: give one without") from None
    except (ValueError, UnsupportedAlgorithm):
        raise BadKey("is no private key: give the whole file, as ssh-keygen wrote it") from None


def _written(key: SSHPrivateKeyTypes) -> tuple[str, str]:
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    return key.private_bytes(*_FORM).decode(), public.decode()
