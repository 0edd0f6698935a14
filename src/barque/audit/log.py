"""Writing the audit log, in the transaction of the change itself."""

from typing import TYPE_CHECKING, Any

from sqlalchemy.ext.asyncio import AsyncSession

from barque.audit.models import AuditEntry
from barque.services.place import Place

if TYPE_CHECKING:
    from barque.http import Call


def record(
    session: AsyncSession,
    call: "Call",
    action: str,
    target: str = "",
    *,
    place: Place | None = None,
    org_id: str | None = None,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """Note one change; `target` says what of the place it was about."""
    where = place or call.place
    client = call.request.client
    session.add(
        AuditEntry(
            org_id=org_id or where.org.id,
            actor=call.actor.email,
            address=client.host if client else "",
            action=action,
            target="/".join(part for part in (where.path, target) if part),
            before=before,
            after=after,
        )
    )


def record_by_platform(
    session: AsyncSession,
    org_id: str,
    action: str,
    target: str,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """Note one change that the platform made by itself."""
    session.add(
        AuditEntry(
            org_id=org_id, actor="barque", address="", action=action, target=target,
            before=before, after=after,
        )
    )  # fmt: skip
