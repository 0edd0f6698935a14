"""Tables of webhooks and of what is sent to them."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from barque.store.tables import Amended, Base, Recorded, Reference

SENDINGS_KEPT = timedelta(days=30)
# For so long after a change, what is sent is signed with the secret before as well.
OVERLAP = timedelta(hours=24)


class Webhook(Amended, Base):
    """Who wants to be told of events: of an organization, or only of one project of it.

    The secrets are sealed by the organization's key. `failing_since` is the first failure after
    the last success; when that is too long ago, the webhook is made inactive, and says why.
    """

    __tablename__ = "webhooks"

    org_id: Mapped[Reference] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"))
    project_id: Mapped[Reference | None] = mapped_column(
        ForeignKey("projects.id", ondelete="CASCADE")
    )
    url: Mapped[str] = mapped_column(String(2048))
    events: Mapped[list[Any]]
    active: Mapped[bool]
    secret: Mapped[bytes]
    secret_before: Mapped[bytes | None]
    rotated: Mapped[datetime | None]
    failing_since: Mapped[datetime | None]
    disabled_reason: Mapped[str | None] = mapped_column(String(500))


class Sending(Recorded, Base):
    """One event on its way to one webhook: written in the transaction of what it tells of.

    Its status is `pending` until it is `delivered`, or `failed` for good; only while it is pending
    it has a `next_attempt`. What is sent once more keeps its `event_id`, by which a receiver knows
    it.
    """

    __tablename__ = "webhook_deliveries"

    webhook_id: Mapped[Reference] = mapped_column(ForeignKey("webhooks.id", ondelete="CASCADE"))
    event_id: Mapped[str] = mapped_column(String(36))
    event: Mapped[str] = mapped_column(String(64))
    payload: Mapped[bytes]
    status: Mapped[str] = mapped_column(String(16), default="pending")
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt: Mapped[datetime | None] = mapped_column(index=True)
    response_status: Mapped[int | None]
    error: Mapped[str | None] = mapped_column(String(500))
    finished: Mapped[datetime | None]
