"""The table of deployments."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, select
from sqlalchemy.orm import Mapped, column_property, mapped_column

from barque.releases.models import Release
from barque.store.tables import Base, Recorded, Reference


class Deployment(Recorded, Base):
    """One rollout of one release. `steps` are its stages, each with start, end and message."""

    __tablename__ = "deployments"
    __table_args__ = (
        Index("ix_deployments_newest", "service_id", "id"),
        Index("ix_deployments_state", "service_id", "status"),
    )

    service_id: Mapped[Reference] = mapped_column(ForeignKey("services.id", ondelete="CASCADE"))
    release_id: Mapped[Reference] = mapped_column(ForeignKey("releases.id", ondelete="CASCADE"))
    trigger: Mapped[str] = mapped_column(String(16))
    actor: Mapped[str] = mapped_column(String(255))
    status: Mapped[str] = mapped_column(String(16), default="queued", index=True)
    steps: Mapped[list[Any]] = mapped_column(default=list)
    error_detail: Mapped[str | None] = mapped_column(Text)
    cancel_requested: Mapped[bool] = mapped_column(default=False)
    started: Mapped[datetime | None]
    finished: Mapped[datetime | None]
    release_version: Mapped[int] = column_property(
        select(Release.version)
        .where(Release.id == release_id)
        # Who asks for releases as well means others than this one.
        .correlate_except(Release)
        .scalar_subquery()
    )
