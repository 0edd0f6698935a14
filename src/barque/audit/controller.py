"""Reading the audit log."""

from typing import Any

import msgspec
from sqlalchemy import select

from barque.audit.models import AuditEntry
from barque.fields import Moment
from barque.http import Call, Routes
from barque.pages import Page, PageQuery, paged

routes = Routes("/orgs/{org}/audit")


class AuditRow(msgspec.Struct, frozen=True):
    """One change of state."""

    id: str
    actor: str
    address: str
    action: str
    target: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    created: Moment


@routes.endpoint("GET", answer=Page[AuditRow], query=PageQuery)
async def list_audit(call: Call) -> Page[AuditRow]:
    """List what changed in an organization, newest first."""
    query = call.query(PageQuery)
    rows = (
        select(AuditEntry)
        .where(AuditEntry.org_id == call.place.org.id)
        .order_by(AuditEntry.id.desc())
    )
    async with call.platform.database.read() as session:
        found, pagination = await paged(session, rows, query)
    return Page([msgspec.convert(row, AuditRow, from_attributes=True) for row in found], pagination)
