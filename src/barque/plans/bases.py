"""The base images that plans build upon, by language and version."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from barque.plans.plan import PlanError
from barque.plans.versions import choose
from barque.settings import BaseImage

# Barque's own are in no registry: `barque base-images build` makes them.
OWN = "barque/base:"


def _own(run: str, build: str | None = None) -> BaseImage:
    return BaseImage(run=OWN + run, build=OWN + (build or run))


# Debian 13's versions come before Debian 12's.
DEFAULTS: Mapping[str, BaseImage] = {
    "python:3.13": _own("python3.13", "python3.13-build"),
    "python:3.11": _own("python3.11", "python3.11-build"),
    "node:20": _own("node20", "node20-build"),
    "node:18": _own("node18", "node18-build"),
    "go:1.24": _own("runtime", "go1.24-build"),
    "static": _own("static"),
    "runtime": _own("runtime"),
}


class Wish(NamedTuple):
    """A version or range that a repository asks for, and where it does."""

    text: str
    where: str


class Bases:
    """Those of the setting `base_images`, and after them Barque's own."""

    def __init__(self, images: Mapping[str, BaseImage]) -> None:
        self.images = {**images, **{k: v for k, v in DEFAULTS.items() if k not in images}}

    def plain(self, name: str) -> BaseImage:
        """Return a base image whose version does not matter."""
        return next(image for _, image in self._offered(name))

    def key_of(self, reference: str) -> str:
        """Return the name of a base image by one of its references, as the setting has it."""
        return next(k for k, image in self.images.items() if reference in (image.run, image.build))

    def choose(self, name: str, wish: Wish | None) -> tuple[str, BaseImage]:
        """Return the version that a repository gets, and its images. Raises `PlanError`."""
        offered = dict(self._offered(name))
        if wish is None:
            return next(iter(offered.items()))
        try:
            version = choose(offered, wish.text)
        except ValueError as error:
            raise PlanError(f"{wish.where}: {error}") from None
        if version is None:
            raise PlanError(
                f"{wish.where} asks for {name} {wish.text}, and the base images are of "
                f"{', '.join(offered)}: ask for one of those, or add one with the setting "
                "base_images"
            )
        return version, offered[version]

    def _offered(self, name: str) -> Iterator[tuple[str, BaseImage]]:
        for key, image in self.images.items():
            language, _, version = key.partition(":")
            if language == name:
                yield version, image
