"""Sending what the outbox holds: each receiver by itself, so that none waits for another."""

import asyncio
import random
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from barque import __version__
from barque.accounts.models import Organization
from barque.audit.log import record_by_platform
from barque.store.tables import now
from barque.store.unavailable import StoreUnavailable
from barque.vault import VaultError
from barque.webhooks.backoff import pause
from barque.webhooks.models import Sending, Webhook
from barque.webhooks.sending import GONE, Outcome, Sender
from barque.webhooks.service import secrets_of
from barque.webhooks.signature import sign

if TYPE_CHECKING:
    from barque.platform import Platform

_TABLES = (Sending.__tablename__, Webhook.__tablename__)
_LOOK = 0.25
_AGAIN = 1.0
# Those whose last attempt failed have connections of their own: the dead do not keep the living.
_AT_ONCE, _FAILING_AT_ONCE = 200, 100
# An endpoint that failed for so long without a success is given up.
PATIENCE = timedelta(days=5)

log = structlog.get_logger()


class Deliveries:
    """Delivers at least once: what was sent, but not noted as sent, is sent again."""

    def __init__(self, platform: "Platform") -> None:
        settings = platform.settings
        self._platform = platform
        self._sender = Sender(
            settings.webhook_allow_private, settings.webhook_timeout, settings.ca_bundle
        )
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._failing_slots = asyncio.Semaphore(_FAILING_AT_ONCE)
        self._busy: dict[str, asyncio.Task[None]] = {}
        self._again = True
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to deliver, in the background."""
        self._task = asyncio.create_task(self._forever())

    async def _forever(self) -> None:
        while True:
            try:
                await self._forever_well()
            except StoreUnavailable as error:
                log.warning("webhooks have to wait", reason=str(error))
            except Exception:
                log.exception("webhooks failed")
            self._again = True
            await asyncio.sleep(_AGAIN)

    async def _forever_well(self) -> None:
        changes, seen, due = self._platform.database.changes, -1, now()
        while True:
            # A look at two counters: whoever writes an event need not know who sends it.
            present = sum(changes[table] for table in _TABLES)
            if present != seen or self._again or now() >= due:
                seen, self._again = present, False
                due = await self._dispatch()
            await asyncio.sleep(_LOOK)

    async def _dispatch(self) -> datetime:
        """Set to work on every webhook with something due. Returns when something is due next."""
        moment = now()
        waiting = (
            select(Sending.webhook_id, func.min(Sending.next_attempt))
            .join(Webhook, Webhook.id == Sending.webhook_id)
            .where(Sending.next_attempt.is_not(None), Webhook.active)
            .group_by(Sending.webhook_id)
        )
        async with self._platform.database.read() as session:
            found = (await session.execute(waiting)).all()
        later = moment + timedelta(minutes=1)
        for webhook_id, first in found:
            if first is not None and first > moment:
                later = min(later, first)
            elif webhook_id not in self._busy:
                task = asyncio.create_task(self._deliver_all(webhook_id))
                self._busy[webhook_id] = task
                task.add_done_callback(lambda _, one=webhook_id: self._done(one))  # type: ignore[misc]
        return later

    def _done(self, webhook_id: str) -> None:
        # What came in while the last look was on its way is found by another.
        self._again = True
        del self._busy[webhook_id]

    async def _deliver_all(self, webhook_id: str) -> None:
        """Deliver what is due to one webhook, one after the other, the oldest first."""
        try:
            while await self._deliver_next(webhook_id):
                pass
        except StoreUnavailable as error:
            log.warning("a webhook has to wait", webhook=webhook_id, reason=str(error))
            await asyncio.sleep(_AGAIN)
        except Exception:
            log.exception("a webhook failed", webhook=webhook_id)
            await asyncio.sleep(_AGAIN)

    async def _deliver_next(self, webhook_id: str) -> bool:
        due = (
            select(Sending, Webhook, Organization)
            .join(Webhook, Webhook.id == Sending.webhook_id)
            .join(Organization, Organization.id == Webhook.org_id)
            .where(Webhook.id == webhook_id, Webhook.active, Sending.next_attempt <= now())
            .order_by(Sending.id)
            .limit(1)
        )
        async with self._platform.database.read() as session:
            found = (await session.execute(due)).first()
        if found is None:
            return False
        sending, webhook, org = found
        async with self._failing_slots if webhook.failing_since else self._slots:
            outcome = await self._attempt(sending, webhook, org)
        async with self._platform.database.write() as session:
            await self._note(session, sending.id, outcome)
        return True

    async def _attempt(self, sending: Sending, webhook: Webhook, org: Organization) -> Outcome:
        try:
            secrets = secrets_of(self._platform.vault, org, webhook)
        except VaultError:
            return Outcome(error="its secret cannot be opened: rotate it")
        stamp = int(now().timestamp())
        signatures = (sign(one, sending.event_id, stamp, sending.payload) for one in secrets)
        headers = {
            "Content-Type": "application/json", "User-Agent": f"Barque-Webhooks/{__version__}",
            "webhook-id": sending.event_id, "webhook-timestamp": str(stamp),
            "webhook-signature": " ".join(signatures),
            "barque-event": sending.event, "barque-delivery": sending.id,
        }  # fmt: skip
        return await self._sender.send(webhook.url, headers, sending.payload)

    async def _note(self, session: AsyncSession, sending_id: str, outcome: Outcome) -> None:
        row = await session.get(Sending, sending_id)
        webhook = await session.get(Webhook, row.webhook_id) if row is not None else None
        if row is None or webhook is None:
            return
        moment = now()
        row.attempts += 1
        row.response_status, row.error = outcome.status, outcome.error
        if outcome.error is None:
            row.status, row.next_attempt, row.finished = "delivered", None, moment
            webhook.failing_since = None
            return
        chance = random.random()  # noqa: S311 - it only spreads load
        wait = pause(row.attempts, self._platform.settings.webhook_retry, chance)
        if wait is None or outcome.status == GONE:
            row.status, row.next_attempt, row.finished = "failed", None, moment
        else:
            row.next_attempt = moment + timedelta(seconds=wait)
        webhook.failing_since = webhook.failing_since or moment
        if outcome.status == GONE:
            _give_up(session, webhook, "its receiver answered 410: it is gone")
        elif moment - webhook.failing_since > PATIENCE:
            _give_up(session, webhook, f"every delivery of {PATIENCE.days} days failed")


def _give_up(session: AsyncSession, webhook: Webhook, reason: str) -> None:
    if not webhook.active:
        return
    webhook.active = False
    webhook.disabled_reason = f"{reason}; once it answers again, set active to true"
    record_by_platform(
        session, webhook.org_id, "webhook.disable", f"webhooks/{webhook.id}",
        before={"active": True}, after={"active": False, "reason": reason},
    )  # fmt: skip
