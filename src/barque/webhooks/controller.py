"""Endpoints of outgoing webhooks.

All of them are for admins: an address often holds a token of whoever receives.
"""

from typing import Any

import msgspec
from sqlalchemy import select

from barque.audit.log import record
from barque.bodies import given
from barque.errors import Invalid, NotFound
from barque.http import Answer, Call, Routes
from barque.pages import Page, PageQuery, paged
from barque.webhooks import schemas as wire
from barque.webhooks import service
from barque.webhooks.guard import Guard
from barque.webhooks.models import Sending, Webhook
from barque.webhooks.outbox import PING, message

routes = Routes("/orgs/{org}/webhooks")


def _view(row: Webhook) -> wire.WebhookView:
    return msgspec.convert(row, wire.WebhookView, from_attributes=True)


def _made(row: Webhook, secret: str) -> wire.MadeWebhook:
    return wire.MadeWebhook(**msgspec.structs.asdict(_view(row)), secret=secret)


def _delivery(row: Sending) -> wire.DeliveryView:
    return msgspec.convert(row, wire.DeliveryView, from_attributes=True)


def _audited(fields: dict[str, Any]) -> dict[str, Any]:
    url = fields.get("url")
    return {**fields, "url": service.origin_of(url)} if url else fields


def _check_url(call: Call, url: str) -> None:
    service.check_url(url, Guard(call.platform.settings.webhook_allow_private))


async def _project_id(call: Call, project: str | None) -> str | None:
    if project is None:
        return None
    try:
        found = await call.platform.places.find(call.actor, {**call.path, "project": project})
    except NotFound as error:
        raise Invalid.field("project", error.message) from None
    return str(found.project.id)


@routes.endpoint("GET", answer=list[wire.WebhookView], role="admin")
async def list_webhooks(call: Call) -> list[wire.WebhookView]:
    """List an organization's webhooks."""
    rows = select(Webhook).where(Webhook.org_id == call.place.org.id).order_by(Webhook.id)
    async with call.platform.database.read() as session:
        return [_view(row) for row in await session.scalars(rows)]


@routes.endpoint(
    "POST", answer=wire.MadeWebhook, status=201, role="admin", body=wire.NewWebhook, errors=(409,)
)
async def create_webhook(call: Call) -> wire.MadeWebhook:
    """Make a webhook, whose secret is shown this once."""
    body = await call.body(wire.NewWebhook)
    _check_url(call, body.url)
    fields = {
        "url": body.url, "events": body.events, "active": body.active,
        "project_id": await _project_id(call, body.project),
    }  # fmt: skip
    async with call.platform.database.write() as session:
        row, secret = await service.make(session, call.platform.vault, call.place, fields)
        record(session, call, "webhook.create", f"webhooks/{row.id}", after=_audited(fields))
        return _made(row, secret)


@routes.endpoint("GET", "/{webhook}", answer=wire.WebhookView, role="admin")
async def get_webhook(call: Call) -> wire.WebhookView:
    """Show a webhook."""
    async with call.platform.database.read() as session:
        return _view(await service.webhook_at(session, call.place, call.path["webhook"]))


@routes.endpoint(
    "PATCH", "/{webhook}", answer=wire.WebhookView, role="admin", body=wire.ChangedWebhook
)
async def update_webhook(call: Call) -> wire.WebhookView:
    """Change a webhook; making it active begins anew, with what waited meanwhile."""
    changes = given(await call.body(wire.ChangedWebhook))
    if "url" in changes:
        _check_url(call, changes["url"])
    async with call.platform.database.write() as session:
        row = await service.webhook_at(session, call.place, call.path["webhook"])
        before = {name: getattr(row, name) for name in changes}
        for name, value in changes.items():
            setattr(row, name, value)
        if changes.get("active"):
            row.failing_since = row.disabled_reason = None
        await session.flush()
        record(
            session, call, "webhook.update", f"webhooks/{row.id}", before=_audited(before),
            after=_audited(changes),
        )  # fmt: skip
        return _view(row)


@routes.endpoint("DELETE", "/{webhook}", status=204, role="admin")
async def delete_webhook(call: Call) -> None:
    """Delete a webhook, with its deliveries."""
    async with call.platform.database.write() as session:
        row = await service.webhook_at(session, call.place, call.path["webhook"])
        await session.delete(row)
        before = {"url": service.origin_of(row.url)}
        record(session, call, "webhook.delete", f"webhooks/{row.id}", before=before)


@routes.endpoint("POST", "/{webhook}/rotate", answer=wire.MadeWebhook, role="admin")
async def rotate_webhook(call: Call) -> wire.MadeWebhook:
    """Give a webhook a new secret, shown this once; for a day the old one signs as well."""
    async with call.platform.database.write() as session:
        row = await service.webhook_at(session, call.place, call.path["webhook"])
        secret = service.rotate(call.platform.vault, call.place.org, row)
        await session.flush()
        record(session, call, "webhook.rotate", f"webhooks/{row.id}")
        return _made(row, secret)


@routes.endpoint(
    "POST", "/{webhook}/ping", answer=wire.DeliveryView, status=202, role="admin", errors=(409,),
    once=True,
)  # fmt: skip
async def ping_webhook(call: Call) -> Answer:
    """Send an event that tells of nothing, to see that a webhook is received."""
    async with call.once() as session:
        row = await service.webhook_at(session, call.place, call.path["webhook"])
        event_id, payload = message(PING, {"org": call.place.org.slug, "webhook_id": row.id})
        sent = await service.send(session, row, event_id, PING, payload)
        record(session, call, "webhook.ping", f"webhooks/{row.id}")
        return call.remember(session, _delivery(sent))


@routes.endpoint(
    "GET", "/{webhook}/deliveries", answer=Page[wire.DeliveryView], role="admin", query=PageQuery
)
async def list_deliveries(call: Call) -> Page[wire.DeliveryView]:
    """List what was sent to a webhook in the last 30 days, newest first."""
    query = call.query(PageQuery)
    async with call.platform.database.read() as session:
        row = await service.webhook_at(session, call.place, call.path["webhook"])
        mine = select(Sending).where(Sending.webhook_id == row.id).order_by(Sending.id.desc())
        found, pagination = await paged(session, mine, query)
    return Page([_delivery(one) for one in found], pagination)


@routes.endpoint(
    "POST", "/{webhook}/deliveries/{delivery}/redeliver", answer=wire.DeliveryView, status=202,
    role="admin", errors=(409,), once=True,
)  # fmt: skip
async def redeliver(call: Call) -> Answer:
    """Send an event once more, as a new delivery of the same event."""
    async with call.once() as session:
        row = await service.webhook_at(session, call.place, call.path["webhook"])
        old = await service.delivery_at(session, row, call.path["delivery"])
        sent = await service.send(session, row, old.event_id, old.event, old.payload)
        record(session, call, "webhook.redeliver", f"webhooks/{row.id}/deliveries/{old.id}")
        return call.remember(session, _delivery(sent))
