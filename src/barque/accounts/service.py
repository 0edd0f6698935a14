"""The rules of organizations, members and keys."""

from datetime import UTC, datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from barque.accounts.keys import Actor, new_key
from barque.accounts.models import ApiKey, Membership, Organization, Scope, User
from barque.errors import Conflict, Forbidden, Invalid, NotFound
from barque.names import digest, is_slug, slugify
from barque.store.tables import now
from barque.vault import Vault

ADMINISTRATOR = "admin@localhost"
_FARTHEST = datetime(9999, 1, 1, tzinfo=UTC)


def slug_of(name: str, slug: str | None) -> str:
    """Return the slug that was asked for, or derive it from the name. Raises `Invalid`."""
    if slug is not None:
        if not is_slug(slug):
            raise Invalid.field("slug", "must be 1 to 63 of a-z, 0-9 and -, no - at either end")
        return slug
    try:
        return slugify(name)
    except ValueError as error:
        raise Invalid.field("name", str(error)) from None


async def create_organization(
    session: AsyncSession, vault: Vault, actor: Actor, name: str, slug: str
) -> Organization:
    """Make an organization, with its creator as admin. Raises `Conflict` for a taken slug."""
    if actor.org_id is not None or actor.scope != "admin":
        raise Forbidden("making an organization needs a key of scope admin, confined to none")
    if await session.scalar(select(Organization.id).where(Organization.slug == slug)):
        raise Conflict(f"the slug '{slug}' is taken: choose another name, or give a slug")
    org = Organization(name=name, slug=slug, data_key=vault.new_data_key())
    session.add(org)
    await session.flush()
    session.add(Membership(org_id=org.id, user_id=actor.user_id, role="admin"))
    return org


async def user_of(session: AsyncSession, email: str) -> User:
    """Return the user with this address, made unless there is one."""
    address = email.lower()
    user = await session.scalar(select(User).where(User.email == address))
    if user is None:
        user = User(email=address)
        session.add(user)
        await session.flush()
    return user


async def membership(session: AsyncSession, org_id: str, user: str) -> tuple[Membership, User]:
    """Return a member by id or address. Raises `NotFound`."""
    found = await session.execute(
        select(Membership, User)
        .join(User, User.id == Membership.user_id)
        .where(Membership.org_id == org_id, (User.id == user) | (User.email == user.lower()))
    )
    row = found.first()
    if row is None:
        raise NotFound(f"member '{user}' not found")
    return row[0], row[1]


async def keep_an_admin(session: AsyncSession, member: Membership) -> None:
    """Raise `Conflict` if the organization would lose its last admin."""
    admins = await session.scalar(
        select(func.count())
        .select_from(Membership)
        .where(Membership.org_id == member.org_id, Membership.role == "admin")
    )
    if member.role == "admin" and admins == 1:
        raise Conflict("this is the last admin: make another member admin first")


async def make_key(
    session: AsyncSession, user_id: str, name: str, scope: Scope, org_id: str | None = None
) -> tuple[ApiKey, str]:
    """Make a key, and return it beside its row: only a hash is stored."""
    key = new_key()
    row = ApiKey(
        user_id=user_id, org_id=org_id, name=name, prefix=key[:12], digest=digest(key), scope=scope
    )
    session.add(row)
    await session.flush()
    return row, key


async def administrator_key(session: AsyncSession) -> str | None:
    """Make the administrator and their key at the first start; afterwards return None.

    Nothing limits that key, so that whoever runs the platform is never shut out of it.
    """
    user = await user_of(session, ADMINISTRATOR)
    if await session.scalar(select(ApiKey.id).where(ApiKey.user_id == user.id).limit(1)):
        return None
    row, key = await make_key(session, user.id, "first start", "admin")
    row.rate_limit = 0
    return key


def check_expiry(expires_at: datetime | None) -> None:
    """Raise `Invalid` for a moment that is past, or too far for every time zone to have it."""
    if expires_at is not None and not now() < expires_at < _FARTHEST:
        raise Invalid.field("expires_at", f"must be a moment to come, before {_FARTHEST.year}")
