"""How many services are in which state, by environment or by project."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from barque.deployments.models import Deployment
from barque.services.models import Service

Counts = dict[str, dict[str, int]]


def newest(table: Any) -> Any:
    """Return the id of a service's newest row in a table: ids sort by age."""
    one = aliased(table)
    return select(func.max(one.id)).where(one.service_id == Service.id).scalar_subquery()


# Made once: to put it together takes longer than to carry it out.
_NEWEST = newest(Deployment)


async def states_by(session: AsyncSession, name: Any, narrow: Callable[[Any], Any]) -> Counts:
    """Count services by `name` and by the status of their newest deployment, or as `new`.

    `narrow` joins what `name` is of to the services, and says which of them are counted.
    """
    rows = select(name, Deployment.status, func.count()).select_from(Service)
    rows = narrow(rows.outerjoin(Deployment, Deployment.id == _NEWEST))
    found: Counts = {}
    for what, state, count in await session.execute(
        rows.group_by(name, Deployment.status).order_by(name)
    ):
        found.setdefault(what, {})[state or "new"] = count
    return found
