"""The rules of webhooks: their secrets, their addresses, what they are sent again."""

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from yarl import URL

from barque.accounts.models import Organization
from barque.errors import Conflict, Invalid, NotFound
from barque.names import new_id
from barque.services.place import Place
from barque.store.tables import now
from barque.vault import Vault
from barque.webhooks.guard import AddressRefused, Guard
from barque.webhooks.models import OVERLAP, Sending, Webhook
from barque.webhooks.outbox import sending
from barque.webhooks.signature import new_secret

MOST = 50


def check_url(url: str, guard: Guard) -> None:
    """Return if something can be sent there. Raises `Invalid`; names are looked up later."""
    try:
        parsed = URL(url)
        host, _ = parsed.host, parsed.port
    except ValueError:
        host = None
    if not host:
        raise Invalid.field("url", "must be an address: https://host/path")
    if parsed.user is not None or parsed.password is not None:
        raise Invalid.field("url", "must hold no user and password: the signature says who sends")
    try:
        guard.check_literal(host)
    except AddressRefused as error:
        raise Invalid.field("url", str(error)) from None


def origin_of(url: str) -> str:
    """Return an address without its path, which often holds a token, for the audit log."""
    return str(URL(url).origin())


async def make(
    session: AsyncSession, vault: Vault, place: Place, fields: dict[str, Any]
) -> tuple[Webhook, str]:
    """Make a webhook, and return it with its secret. Raises `Conflict` when there are too many."""
    count = select(func.count()).where(Webhook.org_id == place.org.id)
    if (await session.scalar(count) or 0) >= MOST:
        raise Conflict(f"{place.org.slug} has {MOST} webhooks: delete one that is not needed")
    secret = new_secret()
    row = Webhook(id=new_id(), org_id=place.org.id, **fields)
    row.secret = vault.seal(place.org.data_key, secret, _context(row))
    session.add(row)
    await session.flush()
    return row, secret


def rotate(vault: Vault, org: Organization, row: Webhook) -> str:
    """Give a webhook a new secret, and return it; for a day the old one signs as well."""
    secret = new_secret()
    row.secret_before, row.rotated = row.secret, now()
    row.secret = vault.seal(org.data_key, secret, _context(row))
    return secret


def secrets_of(vault: Vault, org: Organization, row: Webhook) -> list[str]:
    """Return what deliveries are signed with just now. Never for a response."""
    sealed = [row.secret]
    if row.secret_before is not None and row.rotated is not None and now() - row.rotated < OVERLAP:
        sealed.append(row.secret_before)
    return [vault.open(org.data_key, one, _context(row)) for one in sealed]


async def webhook_at(session: AsyncSession, place: Place, webhook_id: str) -> Webhook:
    """Return an organization's webhook. Raises `NotFound`."""
    row = await session.get(Webhook, webhook_id)
    if row is None or row.org_id != place.org.id:
        raise NotFound(f"webhook '{webhook_id}' not found in {place.org.slug}")
    return row


async def delivery_at(session: AsyncSession, webhook: Webhook, delivery_id: str) -> Sending:
    """Return a delivery of a webhook. Raises `NotFound`."""
    row = await session.get(Sending, delivery_id)
    if row is None or row.webhook_id != webhook.id:
        raise NotFound(f"delivery '{delivery_id}' not found: deliveries are kept for 30 days")
    return row


async def send(
    session: AsyncSession, webhook: Webhook, event_id: str, event: str, payload: bytes
) -> Sending:
    """Queue an event for one webhook. Raises `Conflict` for one that is not active."""
    if not webhook.active:
        raise Conflict("the webhook is not active: set active to true with PATCH first")
    row = sending(webhook.id, event_id, event, payload)
    session.add(row)
    await session.flush()
    return row


def _context(row: Webhook) -> str:
    return f"webhook/{row.id}"
