"""What goes over the wire about organizations, members and keys."""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from barque.accounts.models import Scope
from barque.fields import Moment
from barque.services.place import Role

Name = Annotated[str, Meta(min_length=1, max_length=255)]
RateLimit = Annotated[int, Meta(ge=1, le=1_000_000)]
Email = Annotated[str, Meta(pattern=r"^[^@\s]+@[^@\s]+$", max_length=255)]


class NewOrganization(msgspec.Struct, forbid_unknown_fields=True):
    """A new organization; its slug is derived from the name unless given."""

    name: Name
    slug: str | None = None


class Renamed(msgspec.Struct, forbid_unknown_fields=True):
    """A new name; the slug stays."""

    name: Name | UnsetType = UNSET


class OrganizationView(msgspec.Struct, frozen=True):
    """An organization."""

    id: str
    name: str
    slug: str
    created: Moment
    updated: Moment


class NewMember(msgspec.Struct, forbid_unknown_fields=True):
    """Who joins, and as what."""

    email: Email
    role: Role = "viewer"


class ChangedMember(msgspec.Struct, forbid_unknown_fields=True):
    """A member's new role."""

    role: Role


class MemberView(msgspec.Struct, frozen=True):
    """A member: `id` is the user's."""

    id: str
    email: str
    role: str
    created: Moment


class NewKey(msgspec.Struct, forbid_unknown_fields=True):
    """A new API key, perhaps confined to one organization, perhaps for another member of it.

    `rate_limit` is in requests a minute; null is the platform's default.
    """

    name: Name
    scope: Scope = "admin"
    org: str | None = None
    user: Email | None = None
    expires_at: Moment | None = None
    rate_limit: RateLimit | None = None


class KeyView(msgspec.Struct, frozen=True):
    """An API key, without the key itself.

    `rate_limit` is in requests a minute: null is the platform's default, 0 no limit.
    """

    id: str
    name: str
    prefix: str
    scope: str
    org_id: str | None
    expires_at: Moment | None
    revoked_at: Moment | None
    rate_limit: int | None
    created: Moment


class MadeKey(KeyView, frozen=True):
    """An API key at its making: the only time that `key` is shown."""

    key: str


class Whoami(msgspec.Struct, frozen=True):
    """Who is calling."""

    id: str
    email: str
    key_id: str
    scope: Literal["read", "deploy", "admin"]
    org_id: str | None
