"""Endpoints of services (seed: "Services")."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from barque.accounts.schemas import Name
from barque.accounts.service import slug_of
from barque.audit.log import record
from barque.bodies import check, given
from barque.fields import Moment
from barque.http import Answer, Call, Routes
from barque.projects.controller import Branch, refuse_taken
from barque.projects.removal import footprint, remove
from barque.services.latest import TABLES as LATEST
from barque.services.latest import LatestDeployment, LatestVersion, latest
from barque.services.models import Service
from barque.services.place import TABLES as PLACES
from barque.services.place import url_of
from barque.services.source import ImageReference, check_source
from barque.services.watching import complaint
from barque.settings import PlatformName

routes = Routes("/orgs/{org}/projects/{project}/envs/{env}/services")

Repository = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]*/[A-Za-z0-9_][A-Za-z0-9._-]*$", max_length=255)
]
RepositoryPath = Annotated[
    str,
    Meta(
        pattern=r"^\.?[A-Za-z0-9_][A-Za-z0-9_.+-]*(/\.?[A-Za-z0-9_][A-Za-z0-9_.+-]*)*$",
        max_length=255,
    ),
]
WatchPath = Annotated[str, Meta(pattern=r"^[^\x00-\x1f\x7f]+$", max_length=255)]
WatchPaths = Annotated[list[WatchPath], Meta(max_length=100)]
HealthPath = Annotated[str, Meta(pattern=r"^/[!-~]*$", max_length=2048)]
UpdateOrder = Literal["start-first", "stop-first"]
Seconds = Annotated[int, Meta(ge=1, le=3600)]


class NewService(msgspec.Struct, forbid_unknown_fields=True):
    """A new service (seed: "Create a service")."""

    name: Name
    platform: PlatformName
    slug: str | None = None
    github_repository: Repository | None = None
    image_reference: ImageReference | None = None
    dockerfile: RepositoryPath = "Dockerfile"
    root_directory: RepositoryPath | None = None
    watch_paths: WatchPaths | None = None
    health_check_path: HealthPath = "/_health/"
    auto_deploy_branch: Branch | None = None
    deployment_timeout: Seconds = 180
    update_order: UpdateOrder = "start-first"


class ChangedService(msgspec.Struct, forbid_unknown_fields=True):
    """What changes of a service: the fields of creation, all optional."""

    name: Name | UnsetType = UNSET
    platform: PlatformName | UnsetType = UNSET
    github_repository: Repository | UnsetType | None = UNSET
    image_reference: ImageReference | UnsetType | None = UNSET
    dockerfile: RepositoryPath | UnsetType = UNSET
    root_directory: RepositoryPath | UnsetType | None = UNSET
    watch_paths: WatchPaths | UnsetType | None = UNSET
    health_check_path: HealthPath | UnsetType = UNSET
    auto_deploy_branch: Branch | UnsetType | None = UNSET
    deployment_timeout: Seconds | UnsetType = UNSET
    update_order: UpdateOrder | UnsetType = UNSET


class ServiceRow(msgspec.Struct, frozen=True):
    """A service, as lists show it."""

    id: str
    name: str
    slug: str
    platform: str
    github_repository: str | None
    process_counts: dict[str, int]


class ServiceView(ServiceRow, frozen=True):
    """A service, whole."""

    image_reference: str | None
    dockerfile: str
    root_directory: str | None
    watch_paths: list[str] | None
    health_check_path: str
    auto_deploy_branch: str | None
    deployment_timeout: int
    update_order: str
    locked_by: str | None
    lock_reason: str | None
    url: str
    latest_image: LatestVersion | None
    latest_release: LatestVersion | None
    latest_deployment: LatestDeployment | None
    created: Moment
    updated: Moment


async def _view(session: AsyncSession, call: Call, row: Service) -> ServiceView:
    fields: dict[str, Any] = {name: getattr(row, name) for name in _STORED}
    image, release, deployment = await latest(session, row.id)
    return ServiceView(
        **fields, url=url_of(call.platform.settings, call.place, row.slug),
        latest_image=image, latest_release=release, latest_deployment=deployment,
    )  # fmt: skip


_DERIVED = ("url", "latest_image", "latest_release", "latest_deployment")
_STORED = [name for name in ServiceView.__struct_fields__ if name not in _DERIVED]


@routes.endpoint("GET", answer=list[ServiceRow])
async def list_services(call: Call) -> list[ServiceRow]:
    """List an environment's services."""
    rows = select(Service).where(Service.environment_id == call.place.env.id)
    async with call.platform.database.read() as session:
        found = await session.scalars(rows.order_by(Service.slug))
        return [msgspec.convert(row, ServiceRow, from_attributes=True) for row in found]


@routes.endpoint(
    "POST", answer=ServiceView, status=201, role="developer", body=NewService, errors=(409,)
)
async def create_service(call: Call) -> ServiceView:
    """Make a service."""
    body = await call.body(NewService)
    check_source(body.github_repository, body.image_reference)
    check(watch_paths=complaint(body.watch_paths or ()))
    fields = {**msgspec.structs.asdict(body), "slug": slug_of(body.name, body.slug)}
    env = call.place.env
    async with call.platform.database.write() as session:
        await refuse_taken(session, Service, Service.environment_id, env.id, fields["slug"])
        row = Service(environment_id=env.id, process_counts={"web": 1}, **fields)
        session.add(row)
        await session.flush()
        record(session, call, "service.create", row.slug, after=fields)
        return await _view(session, call, row)


@routes.endpoint("GET", "/{svc}", answer=ServiceView)
async def get_service(call: Call) -> Answer:
    """Show a service."""
    place = call.place

    async def load() -> bytes:
        async with call.platform.database.read() as session:
            return msgspec.json.encode(await _view(session, call, place.svc))

    key, tables = ("service", place.svc.id), (*PLACES, *LATEST)
    return Answer(raw=await call.platform.cache.get(key, tables, load))


@routes.endpoint("PATCH", "/{svc}", answer=ServiceView, role="developer", body=ChangedService)
async def update_service(call: Call) -> ServiceView:
    """Change a service; its slug stays."""
    changes = given(await call.body(ChangedService))
    check(watch_paths=complaint(changes.get("watch_paths") or ()))
    if "auto_deploy_branch" in changes and call.place.env.protected:
        # What is pushed to that branch is deployed, which here only an admin may have done.
        call.require("admin")
    async with call.platform.database.write() as session:
        row = await session.get_one(Service, call.place.svc.id)
        before = {name: getattr(row, name) for name in changes}
        for name, value in changes.items():
            setattr(row, name, value)
        if changes.keys() & {"github_repository", "image_reference"}:
            check_source(row.github_repository, row.image_reference)
        await session.flush()
        record(session, call, "service.update", before=before, after=changes)
        return await _view(session, call, row)


@routes.endpoint("DELETE", "/{svc}", status=204, role="admin", errors=(503,))
async def delete_service(call: Call) -> None:
    """Delete a service."""
    left = await footprint(call.platform, call.place)
    async with call.platform.database.write() as session:
        await remove(session, call.place.svc)
        record(session, call, "service.delete", before={"name": call.place.svc.name})
    await call.platform.rollouts.erase(left)


class LockRequest(msgspec.Struct, forbid_unknown_fields=True):
    """Why nothing may be deployed."""

    reason: Annotated[str, Meta(min_length=1, max_length=1000)]


async def _set_lock(call: Call, action: str, actor: str | None, reason: str | None) -> ServiceView:
    async with call.platform.database.write() as session:
        row = await session.get_one(Service, call.place.svc.id)
        before = {"locked_by": row.locked_by, "reason": row.lock_reason}
        row.locked_by, row.lock_reason = actor, reason
        await session.flush()
        after = {"locked_by": actor, "reason": reason}
        record(session, call, action, before=before, after=after)
        return await _view(session, call, row)


@routes.endpoint("POST", "/{svc}/lock", answer=ServiceView, role="developer", body=LockRequest)
async def lock_service(call: Call) -> ServiceView:
    """Stop deployments of a service, until the lock is taken off."""
    body = await call.body(LockRequest)
    return await _set_lock(call, "service.lock", call.actor.email, body.reason)


@routes.endpoint("DELETE", "/{svc}/lock", answer=ServiceView, role="developer")
async def unlock_service(call: Call) -> ServiceView:
    """Take the lock off a service."""
    return await _set_lock(call, "service.unlock", None, None)
