"""Tables of users, organizations, members and API keys."""

from datetime import datetime
from typing import Literal

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from barque.store.tables import Amended, Base, Recorded, Reference

Scope = Literal["read", "deploy", "admin"]


class User(Amended, Base):
    """A person, or a program that acts as one."""

    __tablename__ = "users"

    email: Mapped[str] = mapped_column(String(255), unique=True)


class Organization(Amended, Base):
    """What owns projects. `data_key` is the key of its secrets, sealed by the master key."""

    __tablename__ = "organizations"

    name: Mapped[str] = mapped_column(String(255))
    slug: Mapped[str] = mapped_column(String(63), unique=True)
    data_key: Mapped[bytes]


class Membership(Amended, Base):
    """What a user may do in an organization: `viewer`, `developer` or `admin`."""

    __tablename__ = "memberships"
    __table_args__ = (UniqueConstraint("org_id", "user_id"),)

    org_id: Mapped[Reference] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"))
    user_id: Mapped[Reference] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    role: Mapped[str] = mapped_column(String(16))


class ApiKey(Recorded, Base):
    """An API key, of which only the SHA-256 is kept (it carries 256 random bits).

    `rate_limit` is in requests a minute: null is the platform's default, 0 no limit.
    """

    __tablename__ = "api_keys"

    user_id: Mapped[Reference] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    org_id: Mapped[Reference | None] = mapped_column(
        ForeignKey("organizations.id", ondelete="CASCADE")
    )
    name: Mapped[str] = mapped_column(String(255))
    prefix: Mapped[str] = mapped_column(String(16))
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    scope: Mapped[Scope] = mapped_column(String(16))
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    rate_limit: Mapped[int | None]


class SignIn(Recorded, Base):
    """A sign-in to the dashboard with an API key, which ends with the key at the latest.

    Only the SHA-256 of the cookie's token is kept.
    """

    __tablename__ = "sign_ins"

    key_id: Mapped[Reference] = mapped_column(ForeignKey("api_keys.id", ondelete="CASCADE"))
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)
