"""The table of releases."""

from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from barque.store.tables import Base, Recorded, Reference


class Release(Recorded, Base):
    """An image and a configuration, frozen together; only `status` ever changes.

    `port` is where its web listens, unless that is for the platform to say.

    `config_snapshot` is what may be shown of the configuration, `sealed_config` its values,
    sealed by the organization's key.
    """

    __tablename__ = "releases"
    __table_args__ = (
        UniqueConstraint("service_id", "version"),
        Index("ix_releases_newest", "service_id", "id"),
    )

    service_id: Mapped[Reference] = mapped_column(ForeignKey("services.id", ondelete="CASCADE"))
    version: Mapped[int]
    image_id: Mapped[Reference] = mapped_column(ForeignKey("images.id", ondelete="CASCADE"))
    image_version: Mapped[int]
    image_reference: Mapped[str] = mapped_column(String(255))
    platform: Mapped[str] = mapped_column(String(16))
    commit_sha: Mapped[str | None] = mapped_column(String(64))
    health_check_path: Mapped[str] = mapped_column(String(2048))
    processes: Mapped[dict[str, str]]
    port: Mapped[int | None]
    config_snapshot: Mapped[list[Any]]
    sealed_config: Mapped[bytes]
    changes: Mapped[dict[str, Any]]
    status: Mapped[str] = mapped_column(String(16), default="created")
