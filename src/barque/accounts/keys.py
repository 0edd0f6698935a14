"""API keys: who is calling (contract: "Authentication")."""

import hashlib
import secrets
from base64 import b64decode
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from litestar import Request
from sqlalchemy import select

from barque.accounts.limits import Limits
from barque.accounts.models import ApiKey, Scope, User
from barque.errors import Unauthorized
from barque.store.cache import Cache
from barque.store.database import Database
from barque.store.tables import now

PREFIX = "barque_"


@dataclass(frozen=True, slots=True)
class Actor:
    """Whoever is calling: a user, through a key of some scope, perhaps confined to one org."""

    user_id: str
    email: str
    key_id: str
    scope: Scope
    org_id: str | None
    expires_at: datetime | None = None
    rate_limit: int | None = None

    @classmethod
    def nobody(cls) -> "Actor":
        """Return the caller of a public endpoint."""
        return cls("", "", "", "read", None)


def new_key() -> str:
    """Return a new key, with 256 random bits."""
    return PREFIX + secrets.token_urlsafe(32)


def digest(key: str) -> str:
    """Hash a key. It is random, so that no slow hash is needed (design: "Facts")."""
    return hashlib.sha256(key.encode()).hexdigest()


class Keys:
    """Finds the caller of a request, who may not ask too often."""

    def __init__(self, database: Database, cache: Cache, limits: Limits) -> None:
        self._database = database
        self._cache = cache
        self._limits = limits

    async def authenticate(self, request: Request[Any, Any, Any], *, basic: bool = False) -> Actor:
        """Return who is calling; `basic` lets the key be a password.

        Raises `Unauthorized` and `TooMany`.
        """
        key = _presented(request) or (_password(request) if basic else None)
        if key is None:
            way = "as the password" if basic else "as 'Authorization: Bearer <key>'"
            raise Unauthorized(f"no API key: send one as 'X-API-Key: <key>' or {way}")
        address = request.client.host if request.client else ""
        self._limits.check_address(address)
        hashed = digest(key)
        actor = await self._cache.get(
            ("key", hashed), ("api_keys", "users"), lambda: self._load(hashed)
        )
        if actor is None or (actor.expires_at is not None and actor.expires_at <= now()):
            self._limits.note_failure(address)
            raise Unauthorized("the API key is unknown, expired or revoked: ask for a new one")
        self._limits.admit(actor.key_id, actor.rate_limit)
        return actor

    async def _load(self, hashed: str) -> Actor | None:
        async with self._database.read() as session:
            found = await session.execute(
                select(ApiKey, User)
                .join(User, User.id == ApiKey.user_id)
                .where(ApiKey.digest == hashed, ApiKey.revoked_at.is_(None))
            )
            row = found.one_or_none()
        if row is None:
            return None
        api_key, user = row
        return Actor(
            user.id, user.email, api_key.id, api_key.scope, api_key.org_id, api_key.expires_at,
            api_key.rate_limit,
        )  # fmt: skip


def _presented(request: Request[Any, Any, Any]) -> str | None:
    if key := request.headers.get("x-api-key"):
        return str(key).strip()
    kind, _, key = request.headers.get("authorization", "").partition(" ")
    return key.strip() if kind.lower() == "bearer" and key.strip() else None


def _password(request: Request[Any, Any, Any]) -> str | None:
    """Return the password of HTTP's basic scheme, or the user's name where there is only that."""
    kind, _, encoded = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "basic":
        return None
    try:
        user, _, password = b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        return None
    return (password or user).strip() or None
