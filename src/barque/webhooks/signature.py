"""Signing what is sent, as Standard Webhooks says (https://www.standardwebhooks.com)."""

import base64
import hashlib
import hmac
import os

PREFIX = "whsec_"
_BYTES = 32


def new_secret() -> str:
    """Return a new secret: the prefix, and 256 random bits in Base64."""
    return PREFIX + base64.b64encode(os.urandom(_BYTES)).decode()


def sign(secret: str, event_id: str, timestamp: int, body: bytes) -> str:
    """Return one signature: `v1,` and the HMAC-SHA256 of id, timestamp (seconds) and body."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    said = f"{event_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, said, hashlib.sha256).digest()).decode()
