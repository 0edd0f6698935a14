"""Signing in to the dashboard: an API key exchanged for a cookie (contract: "Authentication")."""

import secrets
from datetime import timedelta
from hmac import compare_digest
from typing import Any

from litestar import Request
from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from barque.accounts.models import SignIn
from barque.errors import Forbidden
from barque.names import digest
from barque.store.tables import now

COOKIE = "barque_session"
_SAFE = ("GET", "HEAD", "OPTIONS")


def token_of(request: Request[Any, Any, Any]) -> str | None:
    """Return the token of the caller's cookie, if they sent one."""
    return request.cookies.get(COOKIE) or None


def csrf_of(token: str) -> str:
    """Return what proves that a request comes from a page that this token was shown."""
    return digest(f"csrf {token}")


def check_proof(request: Request[Any, Any, Any], token: str, proof: str | None) -> None:
    """Return if a request that changes anything comes from a page of ours. Raises `Forbidden`."""
    if request.method in _SAFE:
        return
    given = proof or request.headers.get("x-csrf-token") or ""
    if not compare_digest(given.encode(), csrf_of(token).encode()):
        raise Forbidden("this did not come from a page of the dashboard: load it again and retry")


def sign_in(session: AsyncSession, key_id: str, hours: int) -> str:
    """Sign a key's owner in for so many hours, and return the token for their cookie."""
    token = secrets.token_urlsafe(32)
    until = now() + timedelta(hours=hours)
    session.add(SignIn(key_id=key_id, digest=digest(token), expires_at=until))
    return token


async def sign_out(session: AsyncSession, token: str) -> None:
    """End a sign-in, if there is such a one."""
    await session.execute(delete(SignIn).where(SignIn.digest == digest(token)))
