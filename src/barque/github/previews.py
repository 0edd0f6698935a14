"""Preview environments: a pull request opens one, each push to it builds, closing it removes all.

Deliveries come twice, at once, and out of order. What counts is what GitHub says of the pull
request (`state`, `updated_at`), not which delivery came last.
"""

import asyncio
from itertools import chain, count
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import structlog
from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from barque.accounts.models import Organization
from barque.audit.log import record
from barque.config.schemas import NewVariable
from barque.github.models import Preview
from barque.github.pushes import Begun, actor_of, build
from barque.github.schemas import PullRequestEvent, Skipped
from barque.http import Call
from barque.names import slugify
from barque.projects.models import Environment, Project
from barque.projects.removal import Footprint, footprint, remove
from barque.services.models import Service
from barque.services.place import Place, place_of

if TYPE_CHECKING:
    from barque.platform import Platform

Step = Literal["open", "build", "close", "ignore"]
ACTIONS = ("opened", "reopened", "synchronize", "closed")
_OWN = {
    "id", "created", "updated", "environment_id", "auto_deploy_branch", "process_counts",
    "last_image_version", "last_release_version", "locked_by", "lock_reason",
}  # fmt: skip

log = structlog.get_logger()


def next_step(known: Preview | None, event: PullRequestEvent) -> Step:
    """Decide what a delivery is to do, by what is known of its pull request already."""
    pull, moment = event.pull_request, event.pull_request.updated_at or ""
    closing = event.action == "closed" or pull.state == "closed"
    if known is None:
        return "close" if closing else "open"
    if moment < known.moment and moment:
        return "ignore"
    newer = moment > known.moment
    if closing:
        return "close" if known.open else "ignore"
    if not known.open:
        # Of the same moment, or of no known one, only a reopening comes after the closing.
        return "open" if newer or event.action == "reopened" else "ignore"
    if known.environment_id is None:
        return "open"
    stale = not newer and event.before is not None and event.before != known.head_sha
    return "ignore" if stale or pull.head.sha == known.head_sha else "build"


class Removed(NamedTuple):
    """An environment that was removed, and what it left on the engine and in the router."""

    path: str
    left: Footprint


class Previews:
    """Opens, builds and removes the environments of pull requests."""

    def __init__(self, platform: "Platform") -> None:
        self._platform = platform
        self._erasing: set[asyncio.Task[None]] = set()

    async def follow(
        self, session: AsyncSession, call: Call, event: PullRequestEvent
    ) -> tuple[list[Begun], list[Skipped], list[Removed]]:
        """Do what a delivery asks for in every project: what begins, is left, and is removed.

        What is removed is to be handed to `erase`, once the transaction is over.
        """
        begun: list[Begun] = []
        skipped: list[Skipped] = []
        removed: list[Removed] = []
        if event.action not in ACTIONS:
            return begun, skipped, removed
        there = actor_of(call, event.sender.login)
        for project_id in await self._projects(session, event):
            # Deliveries of one project take turns.
            project = await session.get_one(Project, project_id, with_for_update=True)
            org = await session.get_one(Organization, project.org_id)
            place = Place(org=org, project=project)
            known = await session.scalar(_known(project.id, event))
            step = next_step(known, event)
            if step == "close":
                removed += await self._close(session, there, place, known, event)
            elif step != "ignore":
                found = await self._open(session, there, place, known, event)
                if isinstance(found, str):
                    skipped.append(Skipped(place.path, found))
                else:
                    begun += found
        return begun, skipped, removed

    def erase(self, removed: list[Removed]) -> None:
        """Take what was removed off the engine, in the background; a sweep would do it later."""
        for one in removed:
            task = asyncio.create_task(self._erase(one))
            self._erasing.add(task)
            task.add_done_callback(self._erasing.discard)

    async def _erase(self, removed: Removed) -> None:
        try:
            await self._platform.rollouts.erase(removed.left)
        except Exception:
            log.exception("what a preview left behind is removed later", preview=removed.path)

    async def _projects(self, session: AsyncSession, event: PullRequestEvent) -> list[str]:
        repository = event.repository.full_name.lower()
        based = (
            select(Environment.project_id)
            .join(Service, Service.environment_id == Environment.id)
            .where(
                Environment.previews.is_(True), func.lower(Service.github_repository) == repository
            )
        )
        known = select(Preview.project_id).where(
            Preview.repository == repository, Preview.number == event.pull_request.number
        )
        wanted = select(Project.id).where(or_(Project.id.in_(based), Project.id.in_(known)))
        return list(await session.scalars(wanted.order_by(Project.id)))

    async def _close(
        self, session: AsyncSession, call: Call, place: Place, known: Preview | None,
        event: PullRequestEvent,
    ) -> list[Removed]:  # fmt: skip
        known = _noted(session, place, known, event)
        known.open = False
        env_id, known.environment_id = known.environment_id, None
        await session.flush()
        env = await session.get(Environment, env_id) if env_id else None
        if env is None or not env.ephemeral:
            # Somebody deleted it, or wants to keep it.
            return []
        gone = Place(org=place.org, project=place.project, env=env)
        left = await footprint(self._platform, gone)
        await remove(session, env, cascade=True)
        record(session, call, "env.delete", place=gone, before=_said(event))
        return [Removed(gone.path, left)]

    async def _open(
        self, session: AsyncSession, call: Call, place: Place, known: Preview | None,
        event: PullRequestEvent,
    ) -> list[Begun] | str:  # fmt: skip
        """Build the pull request's services, in an environment that is made unless it is there.

        Returns why not, where it may not be.
        """
        base = await _base(session, place.project.id, event)
        if event.from_fork and (base is None or not base.previews_from_forks):
            return (
                "the pull request is from a fork, which would get secrets: see previews_from_forks"
            )
        env_id = known.environment_id if known is not None and known.open else None
        if env_id is None:
            if base is None:
                return "no environment of the project has previews any more"
            if full := await self._full(session, place):
                return full
            env_id = (await self._make(session, call, place, base, event)).id
        known = _noted(session, place, known, event)
        known.open, known.environment_id = True, env_id
        await session.flush()
        return await _build_all(session, call, env_id, event)

    async def _full(self, session: AsyncSession, place: Place) -> str | None:
        """Say that a project has all the previews that it may have, if it has."""
        limit = self._platform.settings.preview_limit
        there = select(func.count()).where(
            Preview.project_id == place.project.id, Preview.environment_id.is_not(None)
        )
        if (await session.scalar(there) or 0) < limit:
            return None
        return (
            f"the project has its {limit} previews already: close a pull request and push again, "
            "or raise BARQUE_PREVIEW_LIMIT"
        )

    async def _make(
        self, session: AsyncSession, call: Call, place: Place, base: Environment,
        event: PullRequestEvent,
    ) -> Environment:  # fmt: skip
        """Make an environment after the base: its services of the repository, and all config."""
        slug = await _free_slug(session, place.project.id, event)
        fields = {"name": slug, "slug": slug, "env_type": "preview", "ephemeral": True}
        env = Environment(
            project_id=place.project.id, protected=False, auto_deploy_branch=None, **fields
        )
        session.add(env)
        await session.flush()
        source, target = (
            Place(org=place.org, project=place.project, env=one) for one in (base, env)
        )
        record(session, call, "env.create", place=target, after={**fields, **_said(event)})
        await self._copy_config(session, source, target)
        for service in await session.scalars(_services(base.id, event)):
            copied = Service(**_fields(service), environment_id=env.id)
            session.add(copied)
            await session.flush()
            here = Place(org=place.org, project=place.project, env=env, svc=copied)
            record(session, call, "service.create", place=here, after={"from": base.slug})
            there = Place(org=place.org, project=place.project, env=base, svc=service)
            await self._copy_config(session, there, here)
        return env

    async def _copy_config(self, session: AsyncSession, source: Place, target: Place) -> None:
        config = self._platform.config
        for row in await config.level(session, source):
            text = config.text(source, row)
            await config.set(
                session, target, NewVariable(row.name, text, row.secret, row.buildtime)
            )


async def _build_all(
    session: AsyncSession, call: Call, env_id: str, event: PullRequestEvent
) -> list[Begun]:
    begun = []
    for service in await session.scalars(_services(env_id, event)):
        if service.locked_by is None:
            place = await place_of(session, service.id)
            sha = event.pull_request.head.sha
            begun.append(await build(session, call, place, sha, "pull_request"))
    return begun


def _known(project_id: str, event: PullRequestEvent) -> Any:
    return select(Preview).where(
        Preview.project_id == project_id,
        Preview.repository == event.repository.full_name.lower(),
        Preview.number == event.pull_request.number,
    )


def _noted(
    session: AsyncSession, place: Place, known: Preview | None, event: PullRequestEvent
) -> Preview:
    """Note what a delivery that is heeded says."""
    pull = event.pull_request
    if known is None:
        known = Preview(
            project_id=place.project.id, repository=event.repository.full_name.lower(),
            number=pull.number, moment="",
        )  # fmt: skip
        session.add(known)
    known.moment = pull.updated_at or known.moment
    known.head_sha, known.head_ref = pull.head.sha, pull.head.ref
    return known


async def _base(
    session: AsyncSession, project_id: str, event: PullRequestEvent
) -> Environment | None:
    found: Environment | None = await session.scalar(
        select(Environment)
        .join(Service, Service.environment_id == Environment.id)
        .where(
            Environment.project_id == project_id, Environment.previews.is_(True),
            func.lower(Service.github_repository) == event.repository.full_name.lower(),
        )
        .order_by(Environment.id)
        .limit(1)
    )  # fmt: skip
    return found


def _services(env_id: str, event: PullRequestEvent) -> Any:
    return (
        select(Service)
        .where(
            Service.environment_id == env_id,
            func.lower(Service.github_repository) == event.repository.full_name.lower(),
        )
        .order_by(Service.id)
    )


def _fields(service: Service) -> dict[str, Any]:
    """Return what a preview's service has of the base's: all but its history, each process once."""
    names = [column.key for column in Service.__mapper__.column_attrs if column.key not in _OWN]
    counts = {process: min(count, 1) for process, count in service.process_counts.items()}
    return {**{name: getattr(service, name) for name in names}, "process_counts": counts}


async def _free_slug(session: AsyncSession, project_id: str, event: PullRequestEvent) -> str:
    """Name an environment `pr-12`, or after the repository as well where that is taken."""
    number = event.pull_request.number
    name = event.repository.full_name.rpartition("/")[2]
    try:
        tail = slugify(name)[:40].strip("-")
    except ValueError:
        tail = "preview"
    names = chain((f"pr-{number}", f"pr-{number}-{tail}"), (f"pr-{number}-{n}" for n in count(2)))
    mine = select(Environment.slug).where(Environment.project_id == project_id)
    taken = set(await session.scalars(mine))
    return next(slug for slug in names if slug not in taken)


def _said(event: PullRequestEvent) -> dict[str, Any]:
    """Describe a pull request for the audit log."""
    return {
        "repository": event.repository.full_name, "pull_request": event.pull_request.number,
        "commit": event.pull_request.head.sha,
    }  # fmt: skip
