"""Endpoints of organizations, members and API keys."""

import msgspec
from sqlalchemy import func, select

from barque.accounts import schemas as wire
from barque.accounts import service
from barque.accounts.models import ApiKey, Membership, Organization, User
from barque.audit.log import record
from barque.errors import Conflict, Forbidden, NotFound
from barque.http import Answer, Call, Routes
from barque.projects.removal import Cascade, footprint, remove
from barque.services.place import Place, allow
from barque.store.tables import now

routes = Routes()


def _org(org: Organization) -> wire.OrganizationView:
    return msgspec.convert(org, wire.OrganizationView, from_attributes=True)


def _member(member: Membership, user: User) -> wire.MemberView:
    return wire.MemberView(user.id, user.email, member.role, member.created)


def _key(row: ApiKey) -> wire.KeyView:
    return msgspec.convert(row, wire.KeyView, from_attributes=True)


@routes.endpoint("GET", "/whoami", answer=wire.Whoami)
async def whoami(call: Call) -> wire.Whoami:
    """Tell who is calling."""
    actor = call.actor
    return wire.Whoami(actor.user_id, actor.email, actor.key_id, actor.scope, actor.org_id)


@routes.endpoint("GET", "/orgs", answer=list[wire.OrganizationView])
async def list_orgs(call: Call) -> list[wire.OrganizationView]:
    """List the caller's organizations."""
    rows = (
        select(Organization)
        .join(Membership, Membership.org_id == Organization.id)
        .where(Membership.user_id == call.actor.user_id)
        .order_by(Organization.slug)
    )
    if call.actor.org_id is not None:
        rows = rows.where(Organization.id == call.actor.org_id)
    async with call.platform.database.read() as session:
        return [_org(org) for org in await session.scalars(rows)]


@routes.endpoint(
    "POST", "/orgs", answer=wire.OrganizationView, status=201, body=wire.NewOrganization,
    errors=(403, 409),
)  # fmt: skip
async def create_org(call: Call) -> wire.OrganizationView:
    """Make an organization; its creator is admin."""
    body = await call.body(wire.NewOrganization)
    slug = service.slug_of(body.name, body.slug)
    async with call.platform.database.write() as session:
        org = await service.create_organization(
            session, call.platform.vault, call.actor, body.name, slug
        )
        view = _org(org)
        record(session, call, "org.create", slug, org_id=org.id, after={"name": org.name})
    return view


@routes.endpoint("GET", "/orgs/{org}", answer=wire.OrganizationView)
async def get_org(call: Call) -> wire.OrganizationView:
    """Show an organization."""
    return _org(call.place.org)


@routes.endpoint(
    "PATCH", "/orgs/{org}", answer=wire.OrganizationView, role="admin", body=wire.Renamed
)
async def update_org(call: Call) -> wire.OrganizationView:
    """Rename an organization; its slug stays."""
    body = await call.body(wire.Renamed)
    async with call.platform.database.write() as session:
        org = await session.get_one(Organization, call.place.org.id)
        before, org.name = org.name, body.name or org.name
        await session.flush()
        record(session, call, "org.update", before={"name": before}, after={"name": org.name})
        return _org(org)


@routes.endpoint(
    "DELETE", "/orgs/{org}", status=204, role="admin", query=Cascade, errors=(409, 503)
)
async def delete_org(call: Call) -> None:
    """Delete an organization; one that has projects only with `cascade=true`."""
    cascade = call.query(Cascade).cascade
    left = await footprint(call.platform, call.place)
    async with call.platform.database.write() as session:
        await remove(session, call.place.org, cascade)
    await call.platform.rollouts.erase(left)


@routes.endpoint("GET", "/orgs/{org}/members", answer=list[wire.MemberView])
async def list_members(call: Call) -> list[wire.MemberView]:
    """List an organization's members."""
    async with call.platform.database.read() as session:
        found = await session.execute(
            select(Membership, User)
            .join(User, User.id == Membership.user_id)
            .where(Membership.org_id == call.place.org.id)
            .order_by(User.email)
        )
        return [_member(member, user) for member, user in found]


@routes.endpoint(
    "POST", "/orgs/{org}/members", answer=wire.MemberView, status=201, role="admin",
    body=wire.NewMember, errors=(409,),
)  # fmt: skip
async def add_member(call: Call) -> wire.MemberView:
    """Add a member by e-mail address."""
    body = await call.body(wire.NewMember)
    async with call.platform.database.write() as session:
        user = await service.user_of(session, body.email)
        exists = select(func.count()).where(
            Membership.org_id == call.place.org.id, Membership.user_id == user.id
        )
        if await session.scalar(exists):
            raise Conflict(f"{user.email} is a member already: change the role with PATCH")
        member = Membership(org_id=call.place.org.id, user_id=user.id, role=body.role)
        session.add(member)
        await session.flush()
        record(session, call, "member.add", user.email, after={"role": body.role})
        return _member(member, user)


@routes.endpoint(
    "PATCH", "/orgs/{org}/members/{user}", answer=wire.MemberView, role="admin",
    body=wire.ChangedMember, errors=(409,),
)  # fmt: skip
async def update_member(call: Call) -> wire.MemberView:
    """Change a member's role."""
    body = await call.body(wire.ChangedMember)
    async with call.platform.database.write() as session:
        member, user = await service.membership(session, call.place.org.id, call.path["user"])
        if body.role != "admin":
            await service.keep_an_admin(session, member)
        before, member.role = member.role, body.role
        record(
            session, call, "member.update", user.email,
            before={"role": before}, after={"role": body.role},
        )  # fmt: skip
        return _member(member, user)


@routes.endpoint("DELETE", "/orgs/{org}/members/{user}", status=204, role="admin", errors=(409,))
async def remove_member(call: Call) -> None:
    """Remove a member; the last admin stays."""
    async with call.platform.database.write() as session:
        member, user = await service.membership(session, call.place.org.id, call.path["user"])
        await service.keep_an_admin(session, member)
        await session.delete(member)
        record(session, call, "member.remove", user.email, before={"role": member.role})


@routes.endpoint("GET", "/api-keys", answer=list[wire.KeyView])
async def list_keys(call: Call) -> list[wire.KeyView]:
    """List the caller's API keys."""
    async with call.platform.database.read() as session:
        rows = select(ApiKey).where(ApiKey.user_id == call.actor.user_id).order_by(ApiKey.id)
        return [_key(row) for row in await session.scalars(rows)]


@routes.endpoint(
    "POST", "/api-keys", answer=wire.MadeKey, status=201, body=wire.NewKey, errors=(403, 404)
)
async def create_key(call: Call) -> wire.MadeKey:
    """Make an API key, shown this once; an admin may make one for a member of their org."""
    body = await call.body(wire.NewKey)
    service.check_expiry(body.expires_at)
    if call.actor.scope != "admin":
        raise Forbidden("making a key needs a key of scope admin")
    place = Place()
    if body.org is not None:
        place = await call.platform.places.find(call.actor, {"org": body.org})
    elif body.user is not None or call.actor.org_id is not None:
        raise Forbidden("such a key must be confined to an organization: name it as 'org'")
    async with call.platform.database.write() as session:
        user_id = call.actor.user_id
        if body.user is not None:
            allow(call.actor, place, "admin")
            _, user = await service.membership(session, place.org.id, body.user)
            user_id = user.id
        org_id = place.org.id if place.org else None
        row, key = await service.make_key(session, user_id, body.name, body.scope, org_id)
        row.expires_at, row.rate_limit = body.expires_at, body.rate_limit
        if org_id is not None:
            after = {"name": body.name, "scope": body.scope, "rate_limit": body.rate_limit}
            record(session, call, "key.create", row.id, org_id=org_id, after=after)
        return wire.MadeKey(**msgspec.structs.asdict(_key(row)), key=key)


@routes.endpoint("DELETE", "/api-keys/{key}", status=204, errors=(404,))
async def revoke_key(call: Call) -> Answer:
    """Revoke one of the caller's API keys."""
    async with call.platform.database.write() as session:
        row = await session.get(ApiKey, call.path["key"])
        if row is None or row.user_id != call.actor.user_id:
            raise NotFound(f"API key '{call.path['key']}' not found")
        row.revoked_at = row.revoked_at or now()
        if row.org_id is not None:
            record(session, call, "key.revoke", row.id, org_id=row.org_id)
    return Answer(status=204)
