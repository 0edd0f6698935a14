"""Making Barque's own base images on an engine."""

import asyncio
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from barque.bases.debian import BaseImageError, make_root, mirrors
from barque.bases.recipes import LABEL, RECIPES, context, dockerfile, fingerprint, with_parents
from barque.builders.port import Builder, BuildSpec
from barque.plans.bases import OWN, Bases
from barque.plans.dockerfile import CA_BUNDLE
from barque.runtimes.port import ImageInfo, Runtime
from barque.settings import Settings

Say = Callable[[str], None]


class BaseImages:
    """The base images of the settings, as far as they are Barque's own, on one engine."""

    def __init__(self, settings: Settings, runtime: Runtime, builder: Builder) -> None:
        self._settings = settings
        self._runtime = runtime
        self._builder = builder
        self._bases = Bases(settings.base_images)
        self._making = asyncio.Lock()

    async def listing(self) -> list[dict[str, object]]:
        """List each base image with its references, and which of them are on the engine."""
        rows: list[dict[str, object]] = []
        for name, image in self._bases.images.items():
            there = await self._runtime.image(image.run), await self._runtime.image(image.build)
            own = any(reference.startswith(OWN) for reference in (image.run, image.build))
            missing = "missing" if own else "not pulled yet"
            rows.append({
                "name": name, "run": image.run, "build": image.build,
                "state": "ready" if all(there) else missing, "size": _size(there[0]),
            })  # fmt: skip
        return rows

    async def make(self, names: Iterable[str], say: Say, detail: Say, *, fresh: bool) -> None:
        """Make what is missing of the named base images, or of the preferred of each language.

        `fresh` makes them anew, with newer packages; `detail` hears what the programs say. Raises
        `BaseImageError`, `BuildFailed` and `BuilderUnavailable`.
        """
        await self._make_all(list(self._wanted(names)), say, detail, fresh=fresh)

    async def ensure(self, references: Iterable[str], say: Say) -> list[str]:
        """Make those of Barque's own base images that are missing, one after the other.

        Returns those that are missing and that nobody knows how to make. Raises `BaseImageError`,
        `BuildFailed` and `BuilderUnavailable`.
        """
        own = [one for one in references if one.startswith(OWN)]
        missing = [one for one in own if await self._runtime.image(one) is None]
        names = [one.removeprefix(OWN) for one in missing if one.removeprefix(OWN) in RECIPES]
        if names:
            # Whoever waited finds it there.
            async with self._making:
                await self._make_all(names, say, say, fresh=False)
        return [one for one in missing if one.removeprefix(OWN) not in names]

    async def _make_all(self, names: list[str], say: Say, detail: Say, *, fresh: bool) -> None:
        for name in with_parents(names):
            present = await self._runtime.image(OWN + name)
            if not fresh and present and present.labels.get(LABEL) == fingerprint(name):
                say(f"{OWN}{name} is there")
                continue
            say(f"{OWN}{name} is being made")
            await self._make(name, detail)

    async def lacking(self) -> list[str]:
        """List the preferred base images of Barque's own that the engine does not have."""
        own = [OWN + name for name in self._wanted([])]
        return [name for name in dict.fromkeys(own) if await self._runtime.image(name) is None]

    def _wanted(self, names: Iterable[str]) -> Iterable[str]:
        for name in names or self._preferred():
            image = self._bases.images.get(name)
            if image is None:
                raise BaseImageError(
                    f"there is no base image '{name}': choose of {', '.join(self._bases.images)}"
                )
            for reference in (image.run, image.build):
                if reference.startswith(OWN) and reference.removeprefix(OWN) in RECIPES:
                    yield reference.removeprefix(OWN)

    def _preferred(self) -> list[str]:
        """List the first version of each language, and what has no versions."""
        first = {name.partition(":")[0]: name for name in reversed(self._bases.images)}
        return sorted(first.values())

    async def _make(self, name: str, detail: Say) -> None:
        bundle = self._settings.ca_bundle
        with tempfile.TemporaryDirectory(prefix="barque-base-") as scratch:
            folder = Path(scratch)
            if RECIPES[name].parent is None:
                uris = mirrors(self._settings.debian_mirror)
                await make_root(RECIPES[name].suite, uris, folder / "root.tar", detail)
            for file, content in context(name).items():
                (folder / file).write_bytes(content)
                (folder / file).chmod(0o755)
            text = dockerfile(name, CA_BUNDLE if bundle else None)
            (folder / "Dockerfile").write_text(text)
            spec = BuildSpec(
                folder, OWN + name, labels={LABEL: fingerprint(name)},
                arguments=self._settings.build_environment,
                secret_files={CA_BUNDLE: bundle} if bundle else {},
            )  # fmt: skip
            await self._builder.build(spec, detail)


def _size(image: ImageInfo | None) -> str | None:
    return f"{image.size_bytes / 1e6:.0f} MB" if image else None
