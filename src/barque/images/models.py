"""The table of images."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from barque.store.tables import Base, Recorded, Reference


class Image(Recorded, Base):
    """One build, and the image that came of it, which the service has until it is `pruned`.

    `source` says what it is built from: the service's `repository`, an `upload`, or a `push`. An
    `image_reference` is of one that was built elsewhere, and `port` where that listens, where it
    chose that itself. `pushed_branch` is the branch whose push asked for the build, if one did.
    """

    __tablename__ = "images"
    __table_args__ = (
        UniqueConstraint("service_id", "version"),
        Index("ix_images_newest", "service_id", "id"),
    )

    service_id: Mapped[Reference] = mapped_column(ForeignKey("services.id", ondelete="CASCADE"))
    version: Mapped[int]
    status: Mapped[str] = mapped_column(String(16), default="queued", index=True)
    source: Mapped[str] = mapped_column(
        String(16), default="repository", server_default="repository"
    )
    ref: Mapped[str | None] = mapped_column(String(255))
    image_reference: Mapped[str | None] = mapped_column(String(255))
    pushed_branch: Mapped[str | None] = mapped_column(String(255))
    reference: Mapped[str] = mapped_column(String(255))
    commit_sha: Mapped[str | None] = mapped_column(String(64))
    dockerfile: Mapped[str | None] = mapped_column(Text)
    plan: Mapped[dict[str, Any] | None]
    procfile: Mapped[str | None] = mapped_column(Text)
    processes: Mapped[dict[str, str] | None]
    port: Mapped[int | None]
    image_digest: Mapped[str | None] = mapped_column(String(80))
    size_bytes: Mapped[int | None] = mapped_column(BigInteger)
    error_detail: Mapped[str | None] = mapped_column(Text)
    log_truncated: Mapped[bool] = mapped_column(default=False, server_default=false())
    cancel_requested: Mapped[bool] = mapped_column(default=False)
    started: Mapped[datetime | None]
    finished: Mapped[datetime | None]
    pruned: Mapped[datetime | None]
