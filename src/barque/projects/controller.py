"""Endpoints of projects and environments."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from barque.accounts.schemas import Name, Renamed
from barque.accounts.service import slug_of
from barque.audit.log import record
from barque.bodies import given
from barque.errors import Conflict
from barque.fields import Moment
from barque.http import Call, Routes
from barque.projects.models import Environment, Project
from barque.projects.removal import Cascade, footprint, remove

routes = Routes("/orgs/{org}/projects")

EnvType = Literal["production", "staging", "development", "preview"]
Branch = Annotated[str, Meta(min_length=1, max_length=255)]


class NewProject(msgspec.Struct, forbid_unknown_fields=True):
    """A new project; its slug is derived from the name unless given."""

    name: Name
    slug: str | None = None


class ProjectView(msgspec.Struct, frozen=True):
    """A project."""

    id: str
    name: str
    slug: str
    created: Moment
    updated: Moment


class NewEnvironment(msgspec.Struct, forbid_unknown_fields=True):
    """A new environment."""

    name: Name
    slug: str | None = None
    env_type: EnvType = "development"
    protected: bool = False
    auto_deploy_branch: Branch | None = None
    ephemeral: bool = False
    previews: bool = False
    previews_from_forks: bool = False


class ChangedEnvironment(msgspec.Struct, forbid_unknown_fields=True):
    """What changes of an environment."""

    name: Name | UnsetType = UNSET
    env_type: EnvType | UnsetType = UNSET
    protected: bool | UnsetType = UNSET
    auto_deploy_branch: Branch | UnsetType | None = UNSET
    ephemeral: bool | UnsetType = UNSET
    previews: bool | UnsetType = UNSET
    previews_from_forks: bool | UnsetType = UNSET


class EnvironmentView(ProjectView, frozen=True):
    """An environment."""

    env_type: str
    protected: bool
    auto_deploy_branch: str | None
    ephemeral: bool
    previews: bool
    previews_from_forks: bool


async def refuse_taken(
    session: AsyncSession, table: Any, owner: Any, parent: str, slug: str
) -> None:
    """Raise `Conflict` when the parent has a child of this slug."""
    if await session.scalar(select(table.id).where(owner == parent, table.slug == slug)):
        raise Conflict(f"the slug '{slug}' is taken: choose another name, or give a slug")


def _project(row: Project) -> ProjectView:
    return msgspec.convert(row, ProjectView, from_attributes=True)


def _environment(row: Environment) -> EnvironmentView:
    return msgspec.convert(row, EnvironmentView, from_attributes=True)


@routes.endpoint("GET", answer=list[ProjectView])
async def list_projects(call: Call) -> list[ProjectView]:
    """List an organization's projects."""
    rows = select(Project).where(Project.org_id == call.place.org.id).order_by(Project.slug)
    async with call.platform.database.read() as session:
        return [_project(row) for row in await session.scalars(rows)]


@routes.endpoint(
    "POST", answer=ProjectView, status=201, role="developer", body=NewProject, errors=(409,)
)
async def create_project(call: Call) -> ProjectView:
    """Make a project."""
    body = await call.body(NewProject)
    slug = slug_of(body.name, body.slug)
    async with call.platform.database.write() as session:
        await refuse_taken(session, Project, Project.org_id, call.place.org.id, slug)
        row = Project(org_id=call.place.org.id, name=body.name, slug=slug)
        session.add(row)
        await session.flush()
        record(session, call, "project.create", slug, after={"name": body.name})
        return _project(row)


@routes.endpoint("GET", "/{project}", answer=ProjectView)
async def get_project(call: Call) -> ProjectView:
    """Show a project."""
    return _project(call.place.project)


@routes.endpoint("PATCH", "/{project}", answer=ProjectView, role="developer", body=Renamed)
async def update_project(call: Call) -> ProjectView:
    """Rename a project; its slug stays."""
    body = await call.body(Renamed)
    async with call.platform.database.write() as session:
        row = await session.get_one(Project, call.place.project.id)
        before, row.name = row.name, body.name or row.name
        await session.flush()
        record(session, call, "project.update", before={"name": before}, after={"name": row.name})
        return _project(row)


@routes.endpoint("DELETE", "/{project}", status=204, role="admin", query=Cascade, errors=(409, 503))
async def delete_project(call: Call) -> None:
    """Delete a project; one that has environments only with `cascade=true`."""
    cascade = call.query(Cascade).cascade
    left = await footprint(call.platform, call.place)
    async with call.platform.database.write() as session:
        project = call.place.project
        await remove(session, project, cascade)
        record(session, call, "project.delete", before={"name": project.name})
    await call.platform.rollouts.erase(left)


@routes.endpoint("GET", "/{project}/envs", answer=list[EnvironmentView])
async def list_environments(call: Call) -> list[EnvironmentView]:
    """List a project's environments."""
    rows = select(Environment).where(Environment.project_id == call.place.project.id)
    async with call.platform.database.read() as session:
        found = await session.scalars(rows.order_by(Environment.slug))
        return [_environment(row) for row in found]


@routes.endpoint(
    "POST", "/{project}/envs", answer=EnvironmentView, status=201, role="developer",
    body=NewEnvironment, errors=(409,),
)  # fmt: skip
async def create_environment(call: Call) -> EnvironmentView:
    """Make an environment."""
    body = await call.body(NewEnvironment)
    if body.previews_from_forks:
        call.require("admin")
    slug = slug_of(body.name, body.slug)
    project = call.place.project
    async with call.platform.database.write() as session:
        await refuse_taken(session, Environment, Environment.project_id, project.id, slug)
        fields = {**msgspec.structs.asdict(body), "slug": slug}
        row = Environment(project_id=project.id, **fields)
        session.add(row)
        await session.flush()
        record(session, call, "env.create", slug, after=fields)
        return _environment(row)


@routes.endpoint("GET", "/{project}/envs/{env}", answer=EnvironmentView)
async def get_environment(call: Call) -> EnvironmentView:
    """Show an environment."""
    return _environment(call.place.env)


def _needs_admin(env: Environment, changes: dict[str, Any]) -> bool:
    """Tell whether changes give away what a developer may not have."""
    changed = {name for name, value in changes.items() if getattr(env, name) != value}
    # A preview gets the environment's secrets, and runs what its pull request says.
    guarded = {"protected", "previews_from_forks", *(("previews",) if env.protected else ())}
    return bool(changed & guarded)


@routes.endpoint(
    "PATCH", "/{project}/envs/{env}", answer=EnvironmentView, role="developer",
    body=ChangedEnvironment,
)  # fmt: skip
async def update_environment(call: Call) -> EnvironmentView:
    """Change an environment; its protection, and who gets previews of it, only as admin."""
    changes = given(await call.body(ChangedEnvironment))
    if _needs_admin(call.place.env, changes):
        call.require("admin")
    async with call.platform.database.write() as session:
        row = await session.get_one(Environment, call.place.env.id)
        before = {name: getattr(row, name) for name in changes}
        for name, value in changes.items():
            setattr(row, name, value)
        await session.flush()
        record(session, call, "env.update", before=before, after=changes)
        return _environment(row)


@routes.endpoint(
    "DELETE", "/{project}/envs/{env}", status=204, role="admin", query=Cascade, errors=(409, 503)
)
async def delete_environment(call: Call) -> None:
    """Delete an environment; one that has services only with `cascade=true`."""
    cascade = call.query(Cascade).cascade
    left = await footprint(call.platform, call.place)
    async with call.platform.database.write() as session:
        env = call.place.env
        await remove(session, env, cascade)
        record(session, call, "env.delete", before={"name": env.name})
    await call.platform.rollouts.erase(left)
