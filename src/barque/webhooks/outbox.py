"""Events, recorded in the very transaction of what they tell of: none is lost, none is made up."""

from typing import Any, Literal, get_args

import msgspec
from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from barque.accounts.models import Organization
from barque.names import new_id
from barque.projects.models import Environment, Project
from barque.services.models import Service
from barque.store.tables import now
from barque.webhooks.models import Sending, Webhook

EventName = Literal[
    "build.started", "build.succeeded", "build.failed", "build.cancelled", "deployment.started",
    "deployment.live", "deployment.rolled_back", "deployment.failed", "deployment.cancelled",
    "deployment.superseded",
]  # fmt: skip
EVENTS: tuple[EventName, ...] = get_args(EventName)
ALL = "*"
PING = "ping"
_WHERE = ("org", "project", "env", "service")


async def announce(
    session: AsyncSession, event: EventName, service_id: str, data: dict[str, Any]
) -> None:
    """Have every webhook that wants to know told of an event of a service.

    `data` says what happened; where it did is added to it.
    """
    following = (
        select(Webhook, Organization.slug, Project.slug, Environment.slug, Service.slug)
        .join(Organization, Organization.id == Webhook.org_id)
        .join(Project, Project.org_id == Organization.id)
        .join(Environment, Environment.project_id == Project.id)
        .join(Service, Service.environment_id == Environment.id)
        .where(
            Service.id == service_id, Webhook.active,
            or_(Webhook.project_id.is_(None), Webhook.project_id == Project.id),
        )
    )  # fmt: skip
    wanted = [row for row in await session.execute(following) if wants(row[0], event)]
    if not wanted:
        return
    where = dict(zip(_WHERE, wanted[0][1:], strict=True))
    event_id, payload = message(event, {**where, "service_id": service_id, **data})
    session.add_all(sending(row[0].id, event_id, event, payload) for row in wanted)


def wants(webhook: Webhook, event: EventName) -> bool:
    """Tell whether a webhook asked for events of a name."""
    return ALL in webhook.events or event in webhook.events


def message(event: str, data: dict[str, Any]) -> tuple[str, bytes]:
    """Return the id and the body of an event, as every receiver gets them."""
    body = {"type": event, "timestamp": now(), "data": data}
    return new_id(), msgspec.json.encode(body)


def sending(webhook_id: str, event_id: str, event: str, payload: bytes) -> Sending:
    """Make what is to be sent to a webhook, at once."""
    return Sending(
        webhook_id=webhook_id, event_id=event_id, event=event, payload=payload, next_attempt=now()
    )
