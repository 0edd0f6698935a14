"""The table of the audit log."""

from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from barque.store.tables import Base, Recorded, Reference


class AuditEntry(Recorded, Base):
    """One change of state: who, what, when, from where, before and after (no secret values)."""

    __tablename__ = "audit_entries"
    __table_args__ = (Index("ix_audit_entries_newest", "org_id", "id"),)

    org_id: Mapped[Reference] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"))
    actor: Mapped[str] = mapped_column(String(255))
    address: Mapped[str] = mapped_column(String(64))
    action: Mapped[str] = mapped_column(String(64))
    target: Mapped[str] = mapped_column(String(512))
    before: Mapped[dict[str, Any] | None]
    after: Mapped[dict[str, Any] | None]
