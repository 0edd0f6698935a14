"""API keys: who is calling (contract: "Authentication")."""

import secrets
from base64 import b64decode
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from litestar import Request
from sqlalchemy import Select, select

from barque.accounts.limits import Limits
from barque.accounts.models import ApiKey, Scope, SignIn, User
from barque.accounts.sign_ins import check_proof, token_of
from barque.errors import Unauthorized
from barque.names import digest
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


class Keys:
    """Finds the caller of a request, who may not ask too often."""

    def __init__(self, database: Database, cache: Cache, limits: Limits) -> None:
        self._database = database
        self._cache = cache
        self._limits = limits

    async def authenticate(
        self, request: Request[Any, Any, Any], proof: str | None = None, *, basic: bool = False
    ) -> Actor:
        """Return who is calling (see `identify`), which counts as a request of theirs.

        Raises `Unauthorized`, `Forbidden` and `TooMany`.
        """
        actor = await self.identify(request, proof, basic=basic)
        self._limits.admit(actor.key_id, actor.rate_limit)
        return actor

    async def identify(
        self, request: Request[Any, Any, Any], proof: str | None = None, *, basic: bool = False
    ) -> Actor:
        """Return who is calling, with a key or signed in; `basic` lets the key be a password.

        Whoever is signed in has to prove that a page of ours asks, unless they only read: by
        `proof`, or the header `X-CSRF-Token`. Raises `Unauthorized` and `Forbidden`, and `TooMany`
        to who guesses.
        """
        key, token = _presented(request), token_of(request)
        if key is None and basic:
            key = _password(request)
        if key is not None:
            return await self.of_key(request, key)
        if token is not None and not basic:
            check_proof(request, token, proof)
            return await self.signed_in(token)
        way = "as the password" if basic else "as 'Authorization: Bearer <key>'"
        raise Unauthorized(f"no API key: send one as 'X-API-Key: <key>' or {way}")

    async def of_key(self, request: Request[Any, Any, Any], key: str) -> Actor:
        """Return whose key this is. Raises `Unauthorized`, and `TooMany` to who guesses."""
        address = request.client.host if request.client else ""
        self._limits.check_address(address)
        found = await self._found("key", digest(key), ("api_keys", "users"))
        if found is None:
            self._limits.note_failure(address)
            raise Unauthorized("the API key is unknown, expired or revoked: ask for a new one")
        return found

    async def signed_in(self, token: str) -> Actor:
        """Return whose sign-in this is. Raises `Unauthorized`."""
        found = await self._found("sign-in", digest(token), ("sign_ins", "api_keys", "users"))
        if found is None:
            raise Unauthorized("you are signed out: sign in again")
        return found

    async def _found(self, kind: str, hashed: str, tables: tuple[str, ...]) -> Actor | None:
        load = self._load_key if kind == "key" else self._load_sign_in
        actor = await self._cache.get((kind, hashed), tables, lambda: load(hashed))
        gone = actor is not None and actor.expires_at is not None and actor.expires_at <= now()
        return None if gone else actor

    async def _load_key(self, hashed: str) -> Actor | None:
        found = _owners().where(ApiKey.digest == hashed)
        async with self._database.read() as session:
            row = (await session.execute(found)).one_or_none()
        return _actor(*row) if row is not None else None

    async def _load_sign_in(self, hashed: str) -> Actor | None:
        found = _owners().add_columns(SignIn).join(SignIn, SignIn.key_id == ApiKey.id)
        async with self._database.read() as session:
            row = (await session.execute(found.where(SignIn.digest == hashed))).one_or_none()
        if row is None:
            return None
        actor, until = _actor(row[0], row[1]), row[2].expires_at
        return replace(actor, expires_at=min(actor.expires_at or until, until))


def _owners() -> Select[Any]:
    rows: Any = select(ApiKey, User).join(User, User.id == ApiKey.user_id)
    found: Select[Any] = rows.where(ApiKey.revoked_at.is_(None))
    return found


def _actor(key: ApiKey, user: User) -> Actor:
    return Actor(user.id, user.email, key.id, key.scope, key.org_id, key.expires_at, key.rate_limit)


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
