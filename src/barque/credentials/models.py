"""The table of git credentials."""

from typing import Literal

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from barque.store.tables import Base, Recorded, Reference

Kind = Literal["token", "ssh_key"]


class GitCredential(Recorded, Base):
    """What opens the repositories of a host, or one of them, for an organization's builds.

    `sealed` is the token or private key, sealed by the organization's key. `host` may end in a
    port: of HTTP for a token, of SSH for a key.
    """

    __tablename__ = "git_credentials"
    __table_args__ = (UniqueConstraint("org_id", "name"),)

    org_id: Mapped[Reference] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(63))
    kind: Mapped[Kind] = mapped_column(String(16))
    host: Mapped[str] = mapped_column(String(255))
    repository: Mapped[str | None] = mapped_column(String(255))
    username: Mapped[str] = mapped_column(String(255))
    sealed: Mapped[bytes]
    public_key: Mapped[str | None] = mapped_column(Text)
