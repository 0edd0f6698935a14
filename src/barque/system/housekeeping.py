"""Forgetting what nothing needs any longer: at the start, and every hour."""

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy import delete, select

from barque.accounts.models import SignIn
from barque.github.models import DELIVERIES_KEPT, Delivery, Report
from barque.idempotency import KEPT, IdempotencyRecord
from barque.services.models import Service
from barque.store.tables import now
from barque.store.unavailable import StoreUnavailable
from barque.webhooks.models import SENDINGS_KEPT, Sending

if TYPE_CHECKING:
    from barque.platform import Platform

WORK_KEPT = timedelta(days=1)
_PAUSE = 3600
# Others write as well: no transaction here takes long.
_AT_ONCE = 500

log = structlog.get_logger()


class Housekeeping:
    """Deletes rows by age: answers kept for repeats, deliveries, sign-ins, work that has ended.

    So are the repositories of services that are no more.
    """

    def __init__(self, platform: "Platform") -> None:
        self._platform = platform
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to tidy, in the background, again and again."""
        self._task = asyncio.create_task(self._again_and_again())

    async def tidy(self) -> None:
        """Delete what is too old. Raises `StoreUnavailable`."""
        await self._delete_older(IdempotencyRecord.key, KEPT)
        await self._delete_older(Delivery.id, DELIVERIES_KEPT)
        await self._sweep_repositories()
        await self._delete_older(Sending.id, SENDINGS_KEPT)
        await self._delete_older(Report.id, DELIVERIES_KEPT)
        await self._delete(SignIn.id, SignIn.expires_at < now())
        while await self._platform.pipeline.forget(now() - WORK_KEPT, _AT_ONCE) == _AT_ONCE:
            pass

    async def _sweep_repositories(self) -> None:
        """Remove what was pushed to services that were deleted."""
        repositories = self._platform.repositories
        # In this order: whoever has a repository had a service before.
        there = await asyncio.to_thread(repositories.present)
        async with self._platform.database.read() as session:
            services = set(await session.scalars(select(Service.id)))
        await asyncio.to_thread(repositories.remove, there - services)

    async def _again_and_again(self) -> None:
        while True:
            try:
                await self.tidy()
            except StoreUnavailable as error:
                log.warning("housekeeping has to wait", reason=str(error))
            except Exception:
                log.exception("housekeeping failed")
            await asyncio.sleep(_PAUSE)

    async def _delete_older(self, key: Any, kept: timedelta) -> None:
        await self._delete(key, key.class_.created < now() - kept)

    async def _delete(self, key: Any, too_old: Any) -> None:
        table, old = key.class_, select(key).where(too_old).limit(_AT_ONCE)
        deleted = _AT_ONCE
        while deleted == _AT_ONCE:
            async with self._platform.database.write() as session:
                ended: Any = await session.execute(delete(table).where(key.in_(old)))
                deleted = ended.rowcount
