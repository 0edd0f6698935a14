"""One build, from a queued row to an image on the engine; safe to do again from its start."""

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import structlog
from sqlalchemy import select

from barque.builders.port import BuilderUnavailable, BuildFailed, BuildSpec
from barque.config.masking import Masker
from barque.git.port import SourceError
from barque.images.models import Image
from barque.images.recipe import Recipe, read_recipe
from barque.images.service import BUILT_BY, ENDED, stream_of
from barque.pipeline.running import Running, WorkCancelled
from barque.plans.bases import OWN, Bases
from barque.plans.dockerfile import CA_BUNDLE, Inputs
from barque.plans.plan import Plan, PlanError
from barque.services.place import Place, place_of
from barque.store.tables import now
from barque.store.unavailable import StoreUnavailable

if TYPE_CHECKING:
    from barque.platform import Platform

KIND = "build"

log = structlog.get_logger()


class Builds:
    """Carries builds out, a bounded number at once, in the order that they were asked for."""

    def __init__(self, platform: "Platform") -> None:
        self._platform = platform
        self._turns = asyncio.Semaphore(platform.settings.build_concurrency)
        self._running = Running()
        self._ends: dict[str, asyncio.Event] = {}
        self._work = platform.settings.data_dir / "work"
        self._bases = Bases(platform.settings.base_images)

    async def resume(self) -> None:
        """Begin what was asked for before the last process died; clear what it left behind."""
        await asyncio.to_thread(shutil.rmtree, self._work, ignore_errors=True)
        async with self._platform.database.read() as session:
            waiting = select(Image.id).where(Image.status.not_in(ENDED)).order_by(Image.id)
            found = list(await session.scalars(waiting))
        for image_id in found:
            await self._platform.pipeline.begin(KIND, image_id)

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
        except (BuildFailed, BuilderUnavailable, SourceError, PlanError) as error:
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
        async with self._turns:
            image, place = await self._begin(image_id)
            if image is None or place is None:
                self._tell(image_id)
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
            image = await session.get(Image, image_id)
            if image is None or image.status in ENDED:
                return None, None
            if image.cancel_requested:
                raise asyncio.CancelledError
            image.status, image.started = "building", image.started or now()
            return image, await place_of(session, image.service_id)

    async def _make(self, image: Image, place: Place, folder: Path) -> dict[str, Any]:
        platform, stream = self._platform, stream_of(image.id)
        arguments, secrets = await self._inputs(place)
        masker = Masker(secrets.values())

        def say(line: str) -> None:
            platform.logs.append(stream, masker.mask(line))

        repository = place.svc.github_repository or ""
        say(f"fetching {repository} at {image.ref or 'its default branch'}")
        source, scratch = folder / "source", folder / "plan"
        credential = await platform.credentials.of(place)
        checkout = await platform.source.fetch(repository, image.ref, source, credential)
        say(f"building commit {checkout.commit_sha}")
        bundle = platform.settings.ca_bundle
        names = Inputs(sorted(arguments), sorted(secrets), bundle is not None, place.svc.id)
        recipe = await asyncio.to_thread(
            read_recipe, source, scratch, place.svc, self._bases, names
        )
        await self._announce(recipe.plan, say)
        spec = BuildSpec(
            recipe.context, image.reference, place.svc.dockerfile,
            {**_labels(image, place, checkout.commit_sha), BUILT_BY: platform.id},
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

    async def _announce(self, plan: Plan | None, say: Callable[[str], None]) -> None:
        """Say what a plan was made of. Raises `BuildFailed` when it needs what is not there."""
        if plan is None:
            return
        for reason in plan.reasons:
            say(f"plan: {reason}")
        for base in plan.bases():
            # The builder would look for it in a registry, where the name is not Barque's.
            if base.startswith(OWN) and await self._platform.runtime.image(base) is None:
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
        self._tell(image_id)

    def _tell(self, image_id: str) -> None:
        """Wake whoever waits for a build, also one that was deleted: they look at its row."""
        self._ends.pop(image_id, asyncio.Event()).set()

    async def _write_end(self, image_id: str, status: str, fields: dict[str, Any]) -> None:
        async with self._platform.database.write() as session:
            image = await session.get(Image, image_id)
            if image is None or image.status in ENDED:
                return
            for name, value in fields.items():
                setattr(image, name, value)
            image.status, image.finished = status, now()
            # First the line: whoever sees the end finds it.
            said = fields.get("error_detail") or f"built {fields.get('image_digest')}"
            self._platform.logs.append(stream_of(image_id), said)


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
