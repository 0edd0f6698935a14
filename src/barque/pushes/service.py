"""The rules of a push: what is built, what is refused, and what whoever pushes is shown."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from barque.audit.log import record
from barque.deployments.journal import ENDED as DEPLOYMENT_ENDED
from barque.deployments.journal import SWITCHED
from barque.deployments.journal import stream_of as deployment_stream
from barque.deployments.models import Deployment
from barque.errors import BarqueError, Conflict
from barque.http import Call
from barque.images.models import Image
from barque.images.service import ENDED, add
from barque.images.service import stream_of as image_stream
from barque.images.source import PUSH
from barque.projects.pipeline import begin, release_and_deploy
from barque.pushes.conversation import Conversation, Question, Update
from barque.pushes.repositories import NO_COMMIT, GitFailed
from barque.releases.models import Release
from barque.services.models import Service
from barque.services.place import Place, url_of
from barque.store.ending import ending
from barque.store.unavailable import StoreUnavailable
from barque.uploads.names import ArchiveError
from barque.uploads.store import Parcel, UploadsUnavailable

_BRANCHES, _TAGS = "refs/heads/", "refs/tags/"
_USUAL = ("main", "master")
_TRIGGER = "git-push"

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Begun:
    """What a push began, or an earlier push of the same commit: an image and its deployment."""

    image_id: str
    version: int
    deployment_id: str


class Pushes:
    """Attends to pushes: those to one service take turns, from the first hook to the moved ref."""

    def __init__(self) -> None:
        self._turns: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def attend(self, call: Call, repository: Path, talk: Conversation) -> None:
        """Answer the hooks of a push, to the last; each has an answer, whatever happens."""
        begun: Begun | None = None
        try:
            async with AsyncExitStack() as held:
                while (asked := await talk.asked()) is not None:
                    if asked.hook == "pre-receive":
                        begun = await self._before(call, repository, talk, asked, held)
                    else:
                        # The ref has moved: whoever comes next may.
                        await held.aclose()
                        await _after(call, repository, talk, asked, begun)
        except ConnectionError:
            # Nobody listens any more. What was begun goes on by itself.
            return
        finally:
            talk.close()

    async def _before(
        self,
        call: Call,
        repository: Path,
        talk: Conversation,
        asked: Question,
        held: AsyncExitStack,
    ) -> Begun | None:
        """Build what is pushed, and accept the push if that succeeds."""
        try:
            begun = await self._built(call, repository, talk, asked, held)
        except (
            BarqueError, ArchiveError, GitFailed, StoreUnavailable, UploadsUnavailable,
        ) as error:  # fmt: skip
            await _refuse(talk, str(error))
            return None
        except ConnectionError:
            raise
        except Exception:
            log.exception("push failed", service=call.place.svc.id)
            await _refuse(talk, "the platform failed at this push, and has logged why: push again")
            return None
        await talk.end(0)
        return begun

    async def _built(
        self,
        call: Call,
        repository: Path,
        talk: Conversation,
        asked: Question,
        held: AsyncExitStack,
    ) -> Begun | None:
        update = wanted(asked.updates, branches(call.place))
        if update is None:
            async with call.platform.database.write() as session:
                refs = [one.ref for one in asked.updates]
                record(session, call, "service.git-push", after={"refs": refs})
            await talk.say("nothing to build: only a branch that is deployed is built")
            return None
        turn = self._turns[call.place.svc.id]
        if turn.locked():
            await talk.say("waiting for another push to this service to end")
        await held.enter_async_context(turn)
        if await call.platform.repositories.tip(repository, update.ref) != update.old:
            raise Conflict(
                "somebody else has pushed meanwhile: 'git fetch', put your work on top, push again"
            )
        begun = await _begun_before(call, update)
        if begun is None:
            begun = await _begin(call, repository, asked.quarantine, update)
        else:
            await talk.say(f"this commit was pushed before, and is image {begun.version}")
        await _show_build(call, talk, begun)
        return begun


def branches(place: Place) -> tuple[str, ...]:
    """Return the names of the branch that is deployed: one, or else whichever is usual."""
    chosen = place.svc.auto_deploy_branch or place.env.auto_deploy_branch
    return (chosen,) if chosen else _USUAL


def wanted(updates: list[Update], deployed: tuple[str, ...]) -> Update | None:
    """Return the update that is to be built, or None for tags alone. Raises `Conflict`.

    A branch that is not deployed is refused, not kept: a push that seems to succeed and changes
    nothing would mislead.
    """
    moved = [update for update in updates if not update.ref.startswith(_TAGS)]
    for update in moved:
        name = update.ref.removeprefix(_BRANCHES)
        if not update.ref.startswith(_BRANCHES) or name not in deployed:
            raise Conflict(
                f"{' or '.join(deployed)} is what is deployed here, not {name}: push it as that, "
                f"with 'git push <remote> {name}:{deployed[0]}', or set auto_deploy_branch"
            )
        if update.new == NO_COMMIT:
            raise Conflict(f"{name} is what is deployed: it cannot be deleted")
    if len(moved) > 1:
        raise Conflict(f"both {' and '.join(deployed)} are pushed: push the one to be deployed")
    return moved[0] if moved else None


async def _begun_before(call: Call, update: Update) -> Begun | None:
    """Return what an earlier push of the same commit began, if it may still succeed or has."""
    newest = select(Image).where(Image.service_id == call.place.svc.id)
    async with call.platform.database.read() as session:
        image = await session.scalar(newest.order_by(Image.version.desc()).limit(1))
        if image is None or (image.source, image.commit_sha) != (PUSH, update.new):
            return None
        deployment = await _deployment_of(session, image.id)
    if deployment is None or image.status in ("error", "cancelled") or image.pruned is not None:
        return None
    if deployment.status in DEPLOYMENT_ENDED and deployment.status not in SWITCHED:
        return None
    return Begun(image.id, image.version, deployment.id)


async def _deployment_of(session: AsyncSession, image_id: str) -> Deployment | None:
    rows = select(Deployment).join(Release, Release.id == Deployment.release_id)
    found: Deployment | None = await session.scalar(
        rows.where(Release.image_id == image_id).order_by(Deployment.id.desc()).limit(1)
    )
    return found


async def _begin(call: Call, repository: Path, quarantine: Path, update: Update) -> Begun:
    """Put the files of a commit away, and queue a build, a release and a deployment of them."""
    repositories, uploads = call.platform.repositories, call.platform.uploads
    if found := await repositories.submodules(repository, quarantine, update.new):
        raise Conflict(
            f"{', '.join(found[:5])} is a submodule, which a push does not bring along: use "
            "'barque deploy --source .' in a folder where it is checked out, or github_repository"
        )
    with uploads.receive() as parcel:
        await repositories.archive(
            repository, quarantine, update.new, parcel.file, uploads.bounds.size
        )
        await parcel.check(uploads.bounds)
        return await _queue(call, parcel, update)


async def _queue(call: Call, parcel: Parcel, update: Update) -> Begun:
    branch = update.ref.removeprefix(_BRANCHES)
    async with call.platform.database.write() as session:
        # As it is now, which may not be as it was when the push began.
        place = replace(call.place, svc=await session.get_one(Service, call.place.svc.id))
        image = await add(session, place, source=PUSH, ref=branch, commit_sha=update.new)
        record(session, call, "image.push", f"images/{image.version}", after={"ref": branch})
        value = await release_and_deploy(session, call, place, image, _TRIGGER)
        parcel.keep(call.platform.uploads.path(image.id))
    await begin(call, value)
    return Begun(value.image_id, value.image_version, value.deployment_id)


async def _show_build(call: Call, talk: Conversation, begun: Begun) -> None:
    """Show a build to its end. Raises `Conflict` when there is no image at the end."""
    await talk.say(f"building image {begun.version}")
    ended = ending(call.platform.database, Image, begun.image_id, ENDED)
    async for line in _lines(call, image_stream(begun.image_id), ended):
        await talk.say(line)
    async with call.platform.database.read() as session:
        image = await session.get_one(Image, begun.image_id)
    if image.status != "built":
        raise Conflict(f"image {image.version} is not built: {image.error_detail}")


async def _after(
    call: Call, repository: Path, talk: Conversation, asked: Question, begun: Begun | None
) -> None:
    """Show the deployment of what was pushed, to its end; the push itself has succeeded."""
    try:
        for update in asked.updates:
            if update.ref.startswith(_BRANCHES):
                await call.platform.repositories.follow(repository, update.ref)
        if begun is not None:
            await _show_deployment(call, talk, begun)
    except ConnectionError:
        raise
    except Exception:
        log.exception("a pushed deployment could not be shown", service=call.place.svc.id)
        await talk.say("how the deployment goes cannot be shown now: see 'barque deployments'")
    await talk.end(0)


async def _show_deployment(call: Call, talk: Conversation, begun: Begun) -> None:
    ended = ending(call.platform.database, Deployment, begun.deployment_id, DEPLOYMENT_ENDED)
    async for line in _lines(call, deployment_stream(begun.deployment_id), ended):
        await talk.say(line)
    async with call.platform.database.read() as session:
        row = await session.get_one(Deployment, begun.deployment_id)
    if row.status in SWITCHED:
        place = call.place
        await talk.say(f"{url_of(call.platform.settings, place, place.svc.slug)} is deployed")
    else:
        reason = row.error_detail or "a newer one took its place"
        await talk.say(f"the push is accepted, but its deployment is {row.status}: {reason}")


async def _lines(
    call: Call, stream: str, ended: Callable[[], Awaitable[str | None]]
) -> AsyncIterator[str]:
    """Follow a log to its end, line by line."""
    async for events in call.platform.logs.follow(stream, 0, ended):
        for line in events.split(b"\n"):
            if line.startswith(b"data: "):
                said = msgspec.json.decode(line[6:])
                if "text" in said:
                    yield said["text"]


async def _refuse(talk: Conversation, reason: str) -> None:
    await talk.say(f"refused: {reason}")
    await talk.end(1)
