"""Events, recorded in the very transaction of what they tell of: none is lost, none is made up."""

from typing import Any, Literal, get_args

import msgspec
from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from barque.names import new_id
from barque.projects.models import Environment, Project
from barque.services.models import Service
from barque.services.place import place_of
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


async def announce(
    session: AsyncSession, event: EventName, service_id: str, data: dict[str, Any]
) -> None:
    """Have every webhook that wants to know told of an event of a service.

    `data` says what happened; where it did is added to it.
    """
    following = (
        select(Webhook)
        .join(Project, Project.org_id == Webhook.org_id)
        .join(Environment, Environment.project_id == Project.id)
        .join(Service, Service.environment_id == Environment.id)
        .where(
            Service.id == service_id, Webhook.active,
            or_(Webhook.project_id.is_(None), Webhook.project_id == Project.id),
        )
    )  # fmt: skip
    wanted = [one for one in await session.scalars(following) if wants(one, event)]
    if not wanted:
        return
    place = await place_of(session, service_id)
    where = {
        "org": place.org.slug, "project": place.project.slug, "env": place.env.slug,
        "service": place.svc.slug, "service_id": service_id,
    }  # fmt: skip
    event_id, payload = message(event, {**where, **data})
    session.add_all(sending(one.id, event_id, event, payload) for one in wanted)


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
