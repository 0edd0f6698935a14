"""One build, from a queued row to an image on the engine; safe to do again from its start."""

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from barque.bases.debian import BaseImageError
from barque.bases.making import BaseImages
from barque.builders.port import BuilderUnavailable, BuildFailed, BuildSpec
from barque.config.masking import Masker
from barque.git.port import SourceError
from barque.images.events import tell
from barque.images.lfs import refuse_pointers
from barque.images.log import CutLog
from barque.images.models import Image
from barque.images.prebuilt import adopt
from barque.images.queue import Waiting
from barque.images.recipe import Recipe, read_recipe
from barque.images.service import BUILT_BY, ENDED, stream_of, unfinished
from barque.images.source import fetch
from barque.images.turns import Turns
from barque.pipeline.running import Running, WorkCancelled
from barque.plans.bases import Bases
from barque.plans.dockerfile import CA_BUNDLE, Inputs
from barque.plans.plan import Plan, PlanError
from barque.services.place import Place, place_of
from barque.store.tables import now
from barque.store.unavailable import StoreUnavailable
from barque.uploads.names import ArchiveError

if TYPE_CHECKING:
    from barque.platform import Platform

KIND = "build"
# What the platform itself says of the end is never cut.
_LAST_LINES = 10

log = structlog.get_logger()


class Builds:
    """Carries builds out, a bounded number at once, each in its turn (see `Turns`)."""

    def __init__(self, platform: "Platform") -> None:
        self._platform = platform
        self._turns = Turns(platform.settings.build_concurrency)
        self._running = Running()
        self._ends: dict[str, asyncio.Event] = {}
        self._logs: dict[str, CutLog] = {}
        self._work = platform.settings.data_dir / "work"
        self._bases = Bases(platform.settings.base_images)
        self._base_images = BaseImages(platform.settings, platform.runtime, platform.builder)

    async def resume(self) -> None:
        """Begin what was asked for before the last process died; clear what it left behind."""
        await asyncio.to_thread(shutil.rmtree, self._work, ignore_errors=True)
        async with self._platform.database.read() as session:
            found = list(await session.scalars(unfinished()))
        await asyncio.to_thread(self._platform.uploads.sweep, set(found))
        self._turns.expect(found)
        for image_id in found:
            await self._platform.pipeline.begin(KIND, image_id)

    async def begin(self, image: Image) -> None:
        """Have a build carried out in its turn; what it superseded leaves the queue."""
        await self._platform.pipeline.begin(KIND, image.id)
        if image.pushed_branch is not None:
            superseded = select(Image.id).where(
                Image.service_id == image.service_id, Image.status == "cancelled",
                Image.pushed_branch == image.pushed_branch,
            )  # fmt: skip
            async with self._platform.database.read() as session:
                for image_id in await session.scalars(superseded):
                    self.cancel(image_id)

    async def positions(self, session: AsyncSession) -> dict[str, int]:
        """Say of each build that is queued which turn will be its own, counted from 1."""
        rows = await session.execute(unfinished())
        return self._turns.positions(_waiting(row) for row in rows)

    def log_is_cut(self, image_id: str) -> bool:
        """Tell whether the log of a build that runs is cut already."""
        return image_id in self._logs and self._logs[image_id].cut

    def cancel(self, image_id: str) -> None:
        """End a build of this process; its row says already that this is wanted."""
        self._running.cancel(image_id)

    async def ended(self, image_id: str) -> None:
        """Return when a build has ended. Raises `NoResultFound` for one that was deleted."""
        end = self._ends.setdefault(image_id, asyncio.Event())
        async with self._platform.database.read() as session:
            if (await session.get_one(Image, image_id)).status in ENDED:
                return
        await end.wait()

    async def carry_out(self, image_id: str) -> None:
        """Build one image, and see that it ends, whatever happens.

        Raises `StoreUnavailable` when the store does not answer: it is safe to do again.
        """
        try:
            await self._running.run(image_id, self._build(image_id))
        except WorkCancelled:
            await self._end(image_id, "cancelled", error_detail="the build was cancelled")
        except (BuildFailed, BuilderUnavailable, SourceError, ArchiveError, PlanError) as error:
            await self._end(image_id, "error", error_detail=str(error))
        except TimeoutError:
            limit = self._platform.settings.build_timeout
            await self._end(image_id, "error", error_detail=f"the build took over {limit} s")
        except StoreUnavailable:
            raise
        except Exception:
            log.exception("build failed", image=image_id)
            detail = "the platform failed at this build, and has logged why: build again"
            await self._end(image_id, "error", error_detail=detail)

    async def _build(self, image_id: str) -> None:
        async with self._platform.database.read() as session:
            row = (await session.execute(unfinished().where(Image.id == image_id))).first()
        if row is None:
            self._over(image_id)
            return
        async with self._turns.turn(_waiting(row)):
            image, place = await self._begin(image_id)
            if image is None or place is None:
                self._over(image_id)
                return
            folder = self._work / image_id
            try:
                async with asyncio.timeout(self._platform.settings.build_timeout):
                    fields = await self._make(image, place, folder)
            finally:
                await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
            await self._end(image_id, "built", **fields)

    async def _begin(self, image_id: str) -> tuple[Image | None, Place | None]:
        async with self._platform.database.write() as session:
            image = await session.get(Image, image_id, with_for_update=True)
            if image is None or image.status in ENDED:
                return None, None
            if image.cancel_requested:
                raise asyncio.CancelledError
            begun, image.status = image.status == "building", "building"
            image.started = image.started or now()
            if not begun:
                await tell(session, image)
            return image, await place_of(session, image.service_id)

    async def _make(self, image: Image, place: Place, folder: Path) -> dict[str, Any]:
        platform = self._platform
        arguments, secrets = await self._inputs(place)
        masker = Masker(secrets.values())
        say = self._log_of(image.id, masker).say
        if image.image_reference is not None:
            return await adopt(platform.runtime, image, say)
        source, scratch = folder / "source", folder / "plan"
        checkout = await fetch(platform, image, place, source, say)
        bundle = platform.settings.ca_bundle
        names = Inputs(sorted(arguments), sorted(secrets), bundle is not None, place.svc.id)
        recipe = await asyncio.to_thread(
            read_recipe, source, scratch, place.svc, self._bases, names
        )
        await asyncio.to_thread(refuse_pointers, recipe.context, source, place.svc.dockerfile)
        await self._announce(recipe.plan, say)
        spec = BuildSpec(
            recipe.context, image.reference, place.svc.dockerfile,
            {**_labels(image, place, checkout.commit_sha or ""), BUILT_BY: platform.id},
            arguments, secrets,
            {CA_BUNDLE: bundle} if bundle else {}, recipe.written,
        )  # fmt: skip
        try:
            await platform.builder.build(spec, say)
        except BuildFailed as error:
            raise BuildFailed(masker.mask(str(error))) from None
        made = await platform.runtime.image(image.reference)
        if made is None:
            raise BuildFailed("the engine lost the image: build again")
        return {
            **_fields(recipe), "commit_sha": checkout.commit_sha, "image_digest": made.digest,
            "size_bytes": made.size_bytes,
        }  # fmt: skip

    def _log_of(self, image_id: str, masker: Masker) -> CutLog:
        logs, settings = self._platform.logs, self._platform.settings
        self._logs[image_id] = CutLog(
            lambda line: logs.append(stream_of(image_id), masker.mask(line)),
            min(settings.build_log_bytes, settings.log_bytes), settings.log_lines - _LAST_LINES,
        )  # fmt: skip
        return self._logs[image_id]

    async def _announce(self, plan: Plan | None, say: Callable[[str], None]) -> None:
        """Say what a plan was made of, and make what it is built upon where that is missing.

        Raises `BuildFailed` when it needs what is not there.
        """
        if plan is None:
            return
        for reason in plan.reasons:
            say(f"plan: {reason}")
        try:
            missing = await self._base_images.ensure(plan.bases(), say)
        except BaseImageError as error:
            raise BuildFailed(str(error)) from None
        if missing:
            base = missing[0]
            # The builder would look for it in a registry, where the name is not Barque's.
            raise BuildFailed(
                f"the base image {base} is not on the engine: make it with 'barque "
                f"base-images build {self._bases.key_of(base)}', or name another with the "
                "setting base_images"
            )

    async def _inputs(self, place: Place) -> tuple[dict[str, str], dict[str, str]]:
        async with self._platform.database.read() as session:
            opened = await self._platform.config.opened(session, place)
        wanted = [one for one in opened if one.buildtime]
        common = self._platform.settings.build_environment
        arguments = {**common, **{one.name: one.value for one in wanted if not one.secret}}
        return arguments, {one.name: one.value for one in wanted if one.secret}

    async def _end(self, image_id: str, status: str, **fields: Any) -> None:
        """Write the end of a build; one that ended before stays as it ended."""
        await self._write_end(image_id, status, fields)
        self._over(image_id)

    def _over(self, image_id: str) -> None:
        """Let go of a build, and wake who waits for it, also when it was deleted."""
        self._platform.uploads.discard(image_id)
        self._logs.pop(image_id, None)
        # Whoever read the last line before the end was written looks again now.
        self._platform.logs.wake(stream_of(image_id))
        self._ends.pop(image_id, asyncio.Event()).set()

    async def _write_end(self, image_id: str, status: str, fields: dict[str, Any]) -> None:
        async with self._platform.database.write() as session:
            image = await session.get(Image, image_id)
            if image is None or image.status in ENDED:
                return
            for name, value in fields.items():
                setattr(image, name, value)
            image.status, image.finished = status, now()
            image.log_truncated = self.log_is_cut(image_id)
            await tell(session, image)
            # First the line: whoever sees the end finds it.
            said = fields.get("error_detail") or f"built {fields.get('image_digest')}"
            self._platform.logs.append(stream_of(image_id), said)


def _waiting(row: Any) -> Waiting:
    return Waiting(row.id, row.org_id, row.status == "building")


def _labels(image: Image, place: Place, commit: str) -> dict[str, str]:
    return {
        "barque.org": place.org.slug, "barque.project": place.project.slug,
        "barque.env": place.env.slug, "barque.service": place.svc.slug,
        "barque.version": str(image.version), "barque.commit": commit,
    }  # fmt: skip


def _fields(recipe: Recipe) -> dict[str, Any]:
    """Return what is stored of a recipe."""
    return {
        "dockerfile": recipe.dockerfile, "procfile": recipe.procfile,
        "processes": recipe.processes,
        "plan": msgspec.to_builtins(recipe.plan) if recipe.plan else None,
    }  # fmt: skip
