"""Telling GitHub how its commits fare: as commit statuses, later than they happen if need be.

What is to be told is a row, made with the deployment. What is said is read off the deployment each
time, so that nothing waits for GitHub, and nothing is lost when either side is gone for a while.
"""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from barque.deployments.models import Deployment
from barque.github.app import GitHubApp, GitHubError, GitHubUnavailable
from barque.github.models import Report
from barque.images.models import Image
from barque.releases.models import Release
from barque.store.tables import now
from barque.store.unavailable import StoreUnavailable

if TYPE_CHECKING:
    from barque.platform import Platform

_PAUSE = 1.0
_AT_ONCE = 1000
_LONGEST_WAIT = 300.0
# A refusal may be a commit that GitHub does not know yet, or a right that is given soon.
_ATTEMPTS = 8
# GitHub refuses longer ones.
_DESCRIPTION = 140

log = structlog.get_logger()


class Said(NamedTuple):
    """A commit status: `pending`, `success`, `failure` or `error`, and why."""

    state: str
    description: str

    @property
    def last(self) -> bool:
        """Tell whether nothing is to be said after it."""
        return self.state != "pending"


def status_of(deployment: Deployment | None, release: Release | None, image: Image | None) -> Said:
    """Say how a deployment fares; one that is gone was removed with its service."""
    if deployment is None or release is None or image is None:
        return _said("error", "the service was removed before this was over")
    version = release.version
    ends: dict[str, Callable[[], Said]] = {
        "live": lambda: _said("success", f"release {version} is live"),
        "retired": lambda: _said("success", f"release {version} was live"),
        "failed": lambda: _said("failure", deployment.error_detail or "the deployment failed"),
        "cancelled": lambda: _said("error", "the deployment was cancelled"),
        "superseded": lambda: _said("error", "a newer deployment took its place"),
    }
    if end := ends.get(deployment.status):
        return end()
    if deployment.status != "queued" or image.status == "built":
        return _said("pending", f"deploying release {version}")
    what = "building" if image.status == "building" else "waiting to build"
    return _said("pending", f"{what} image {image.version}")


def _said(state: str, text: str) -> Said:
    # The first line says what happened; what a container wrote is for those who may read logs.
    line = text.partition("\n")[0].strip()
    return Said(state, line if len(line) <= _DESCRIPTION else f"{line[: _DESCRIPTION - 3]}...")


class Reporter:
    """Tells GitHub, in the background, again and again."""

    def __init__(self, platform: "Platform") -> None:
        self._platform = platform
        self._task: asyncio.Task[None] | None = None
        self._failures = 0

    def start(self) -> None:
        """Begin, if there is an App to tell GitHub as."""
        if self._platform.github is not None:
            self._task = asyncio.create_task(self._again_and_again(self._platform.github))

    async def _again_and_again(self, app: GitHubApp) -> None:
        while True:
            pause = _PAUSE
            try:
                await self._tell_all(app)
                self._failures = 0
            except GitHubUnavailable as error:
                self._failures += 1
                pause = error.wait or min(2.0**self._failures / 2, _LONGEST_WAIT)
                log.warning("GitHub is told later", reason=str(error), seconds=pause)
            except StoreUnavailable as error:
                log.warning("GitHub is told later", reason=str(error))
            except Exception:
                log.exception("telling GitHub failed")
            await asyncio.sleep(pause)

    async def _tell_all(self, app: GitHubApp) -> None:
        """Tell all that is to be told now. Raises `GitHubUnavailable` at the first that fails."""
        async with self._platform.database.read() as session:
            due = select(Report).where(Report.due <= now()).order_by(Report.due).limit(_AT_ONCE)
            found = [(row, await _present(session, row)) for row in await session.scalars(due)]
        for row, said in found:
            text = f"{said.state}: {said.description}"
            if text != row.said:
                await self._tell(app, row, said, text)

    async def _tell(self, app: GitHubApp, row: Report, said: Said, text: str) -> None:
        body = {"state": said.state, "description": said.description, "context": row.context}
        if said.state == "success":
            body["target_url"] = row.url
        try:
            await app.post(row.repository, f"/statuses/{row.commit_sha}", body)
        except GitHubError as error:
            down = isinstance(error, GitHubUnavailable)
            await self._put_off(row, str(error), counts=not down)
            if down:
                raise
            return
        async with self._platform.database.write() as session:
            kept = await session.get(Report, row.id)
            if kept is not None:
                kept.said, kept.attempts = text, 0
                kept.due = None if said.last else kept.due

    async def _put_off(self, row: Report, reason: str, *, counts: bool) -> None:
        """Let others go first, and give up on one that was refused too often."""
        if counts:
            log.warning("GitHub refused a status", context=row.context, reason=reason)
        async with self._platform.database.write() as session:
            kept = await session.get(Report, row.id)
            if kept is not None:
                kept.attempts += counts
                wait = timedelta(seconds=min(2.0**kept.attempts, _LONGEST_WAIT))
                kept.due = None if kept.attempts >= _ATTEMPTS else now() + wait


async def _present(session: AsyncSession, row: Report) -> Said:
    deployment = await session.get(Deployment, row.deployment_id)
    release = await session.get(Release, deployment.release_id) if deployment else None
    image = await session.get(Image, release.image_id) if release else None
    return status_of(deployment, release, image)
