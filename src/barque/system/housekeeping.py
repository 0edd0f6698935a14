"""Forgetting what nothing needs any longer: at the start, and every hour."""

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy import delete, select

from barque.accounts.models import SignIn
from barque.github.models import DELIVERIES_KEPT, Delivery
from barque.idempotency import KEPT, IdempotencyRecord
from barque.store.tables import now
from barque.store.unavailable import StoreUnavailable

if TYPE_CHECKING:
    from barque.platform import Platform

WORK_KEPT = timedelta(days=1)
_PAUSE = 3600
# Others write as well: no transaction here takes long.
_AT_ONCE = 500

log = structlog.get_logger()


class Housekeeping:
    """Deletes rows by age: answers kept for repeats, deliveries seen, sign-ins, ended work."""

    def __init__(self, platform: "Platform") -> None:
        self._platform = platform
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to tidy, in the background, again and again."""
        self._task = asyncio.create_task(self._again_and_again())

    async def tidy(self) -> None:
        """Delete what is too old. Raises `StoreUnavailable`."""
        answered = now() - KEPT
        await self._delete(IdempotencyRecord.key, IdempotencyRecord.created < answered)
        await self._delete(Delivery.id, Delivery.created < now() - DELIVERIES_KEPT)
        await self._delete(SignIn.id, SignIn.expires_at < now())
        while await self._platform.pipeline.forget(now() - WORK_KEPT, _AT_ONCE) == _AT_ONCE:
            pass

    async def _again_and_again(self) -> None:
        while True:
            try:
                await self.tidy()
            except StoreUnavailable as error:
                log.warning("housekeeping has to wait", reason=str(error))
            except Exception:
                log.exception("housekeeping failed")
            await asyncio.sleep(_PAUSE)

    async def _delete(self, key: Any, too_old: Any) -> None:
        table, old = key.class_, select(key).where(too_old).limit(_AT_ONCE)
        deleted = _AT_ONCE
        while deleted == _AT_ONCE:
            async with self._platform.database.write() as session:
                ended: Any = await session.execute(delete(table).where(key.in_(old)))
                deleted = ended.rowcount
