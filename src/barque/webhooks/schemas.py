"""What goes over the wire about webhooks."""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from barque.fields import Moment
from barque.webhooks.outbox import EventName

Url = Annotated[str, Meta(pattern=r"^https?://[!-~]+$", max_length=2048)]
Events = Annotated[list[Literal[EventName, "*"]], Meta(min_length=1, max_length=50)]


class NewWebhook(msgspec.Struct, forbid_unknown_fields=True):
    """A new webhook: `*` is every event; a `project` (slug or id) narrows it to that one's."""

    url: Url
    events: Events = msgspec.field(default_factory=lambda: ["*"])
    project: str | None = None
    active: bool = True


class ChangedWebhook(msgspec.Struct, forbid_unknown_fields=True):
    """What changes of a webhook."""

    url: Url | UnsetType = UNSET
    events: Events | UnsetType = UNSET
    active: bool | UnsetType = UNSET


class WebhookView(msgspec.Struct, frozen=True):
    """A webhook, without its secret.

    `failing_since` is the first failure after the last success. One that the platform made
    inactive says why in `disabled_reason`.
    """

    id: str
    url: str
    events: list[str]
    project_id: str | None
    active: bool
    failing_since: Moment | None
    disabled_reason: str | None
    created: Moment
    updated: Moment


class MadeWebhook(WebhookView, frozen=True):
    """A webhook with a new secret: the only time that it is shown."""

    secret: str


class DeliveryView(msgspec.Struct, frozen=True):
    """One event on its way to a webhook: `pending`, `delivered`, or `failed` for good.

    What is sent once more is a delivery of its own, with the same `event_id`.
    """

    id: str
    event_id: str
    event: str
    status: str
    attempts: int
    response_status: int | None
    error: str | None
    next_attempt: Moment | None
    created: Moment
    finished: Moment | None
