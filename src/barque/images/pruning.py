"""Removing old images and build cache, so that the disk does not fill up with them.

Each service gives up the images that it needs no more (`surplus`), which its rows say from then on.
What the engine holds and no service has any more is removed from it: so an image that was promoted
stays as long as one of its services has it, and the images of a deleted service go. Of one that was
built elsewhere, only the name that Barque gave it is: its other names are not Barque's.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from barque.deployments.journal import ENDED, SWITCHED
from barque.deployments.models import Deployment
from barque.images.models import Image
from barque.images.prebuilt import own_names
from barque.images.service import BUILT_BY
from barque.images.service import ENDED as BUILD_ENDED
from barque.plans.bases import OWN
from barque.releases.models import Release
from barque.runtimes.port import RuntimeRefused, RuntimeUnavailable
from barque.settings import MEBIBYTE
from barque.store.tables import now

if TYPE_CHECKING:
    from barque.platform import Platform

# Not at once: after a start there is enough to do, and one pass may serve several deployments.
_FIRST = 60.0
_LULL = 1.0
_JUST_MADE = 600
_WITHOUT_IMAGE = [status for status in BUILD_ENDED if status != "built"]

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Released:
    """A release of a service: its number, and the image that it runs."""

    id: str
    version: int
    image_id: str


@dataclass(frozen=True, slots=True)
class Rolled:
    """A deployment of a release; ids sort by age."""

    id: str
    release_id: str
    status: str


def surplus(
    images: Mapping[str, int],
    releases: Sequence[Released],
    deployments: Sequence[Rolled],
    kept: int,
) -> set[str]:
    """Choose the images that a service needs no more, of those built (their ids and versions).

    The last `kept` that were built stay, the last `kept` that were released, and whatever is live,
    is being deployed, or is what a rollback goes back to unless told otherwise.
    """
    built = sorted(images, key=lambda image: images[image], reverse=True)[:kept]
    by_age = sorted(releases, key=lambda release: release.version, reverse=True)
    released = list(dict.fromkeys(release.image_id for release in by_age))[:kept]
    wanted = needed(deployments)
    running = (release.image_id for release in releases if release.id in wanted)
    return set(images) - {*built, *released, *running}


def needed(deployments: Sequence[Rolled]) -> set[str]:
    """Return the releases that are live, are being deployed, or are the rollback target."""
    newest = sorted(deployments, key=lambda deployment: deployment.id, reverse=True)
    over = [status for status in ENDED if status not in SWITCHED]
    present = {one.release_id for one in newest if one.status not in over}
    serving = next((one.release_id for one in newest if one.status in SWITCHED), None)
    before = (
        one.release_id for one in newest if one.status == "retired" and one.release_id != serving
    )
    return {*present, next(before, "")}


class Pruner:
    """Prunes every `prune_interval`, and a service of whose releases one has become live."""

    def __init__(self, platform: "Platform") -> None:
        self._platform = platform
        self._due: set[str] = set()
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin, a while from now."""
        self._tasks = [asyncio.ensure_future(self._forever())]

    def soon(self, service_id: str) -> None:
        """Have one service looked at shortly."""
        self._due.add(service_id)
        self._wake.set()

    async def _forever(self) -> None:
        # One task does it all: pruning never runs twice at once.
        clock, interval = asyncio.get_running_loop().time, self._platform.settings.prune_interval
        next_full = clock() + min(_FIRST, interval)
        while True:
            try:
                async with asyncio.timeout_at(next_full):
                    await self._wake.wait()
                    await asyncio.sleep(_LULL)
            except TimeoutError:
                for step in (self._prune_all, self._remove_unnamed, self._prune_cache):
                    await self._quietly(step)
                next_full = clock() + interval
            self._wake.clear()
            await self._quietly(self._prune_due)

    async def _quietly(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except (RuntimeUnavailable, RuntimeRefused) as error:
            log.warning("pruning has to wait", reason=str(error))
        except Exception:
            log.exception("pruning failed")

    async def _prune_due(self) -> None:
        due, self._due = self._due, set()
        if due and await self._give_up(Image.service_id.in_(due)):
            await self._sweep()

    async def _prune_all(self) -> None:
        await self._give_up()
        await self._sweep()

    async def _remove_unnamed(self) -> None:
        mine = {BUILT_BY: self._platform.id}
        await self._platform.runtime.remove_unnamed_images(mine, _JUST_MADE)

    async def _prune_cache(self) -> None:
        keep = self._platform.settings.build_cache_mb * MEBIBYTE
        if freed := await self._platform.runtime.prune_build_cache(keep):
            log.info("build cache pruned", freed_mb=freed // MEBIBYTE)

    async def _give_up(self, *of: ColumnElement[bool]) -> int:
        """Have services give up what they need no more. Returns how many images that are."""
        kept = self._platform.settings.images_kept
        has = select(Image.service_id).where(Image.status == "built", Image.pruned.is_(None), *of)
        async with self._platform.database.read() as session:
            # Only these can have any to give up.
            crowded = has.group_by(Image.service_id).having(func.count() > kept)
            found = list(await session.scalars(crowded))
        count = 0
        for service_id in found:
            async with self._platform.database.write() as session:
                count += await give_up(session, service_id, kept)
        return count

    async def _sweep(self) -> None:
        """Remove from the engine what no service has, of what this platform built."""
        runtime = self._platform.runtime
        # First what is there, then what should be: nothing that is just being built is removed.
        present = {
            *await runtime.images({BUILT_BY: self._platform.id}),
            *await runtime.named(own_names(self._platform.id)),
        }
        async with self._platform.database.read() as session:
            wanted = select(Image.reference).where(
                Image.pruned.is_(None), Image.status.not_in(_WITHOUT_IMAGE)
            )
            held = set(await session.scalars(wanted))
        for reference in present - held:
            # Other names that somebody gave an image are theirs, and so are base images.
            if reference.startswith("barque/") and not reference.startswith(OWN):
                await runtime.remove_image(reference)
                log.info("image pruned", reference=reference)


async def give_up(session: AsyncSession, service_id: str, kept: int) -> int:
    """Mark the images that a service needs no more, in the caller's transaction."""
    mine = select(Image).where(
        Image.service_id == service_id, Image.status == "built", Image.pruned.is_(None)
    )
    # Whoever is about to deploy one of them holds it: what is read from here on tells of that.
    rows = {row.id: row for row in await session.scalars(mine.with_for_update())}
    of = select(Release.id, Release.version, Release.image_id)
    releases = await session.execute(of.where(Release.service_id == service_id))
    newest = select(func.max(Deployment.id), Deployment.release_id, Deployment.status)
    deployments = await session.execute(
        newest.where(Deployment.service_id == service_id)
        .group_by(Deployment.release_id, Deployment.status)
    )  # fmt: skip
    old = surplus(
        {image_id: row.version for image_id, row in rows.items()},
        [Released(*row) for row in releases], [Rolled(*row) for row in deployments], kept,
    )  # fmt: skip
    for image_id in old:
        rows[image_id].pruned = now()
    return len(old)
