"""How many services are in which state, by environment or by project."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from barque.deployments.models import Deployment
from barque.services.models import Service

Counts = dict[str, dict[str, int]]


async def states_by(session: AsyncSession, name: Any, narrow: Callable[[Any], Any]) -> Counts:
    """Count services by `name` and by the status of their newest deployment, or as `new`.

    `narrow` joins what `name` is of to the services, and says which of them are counted.
    """
    one = aliased(Deployment)
    newest = select(func.max(one.id)).where(one.service_id == Service.id).scalar_subquery()
    rows = select(name, Deployment.status, func.count()).select_from(Service)
    rows = narrow(rows.outerjoin(Deployment, Deployment.id == newest))
    found: Counts = {}
    for what, state, count in await session.execute(
        rows.group_by(name, Deployment.status).order_by(name)
    ):
        found.setdefault(what, {})[state or "new"] = count
    return found
