"""The plan: what is done to make an image of a repository, and why. Plain data."""

from collections.abc import Iterator

import msgspec

# Where the source is, in the build and in the image. Whatever is copied from a stage has the
# builder look through the whole folder above it, which for `/app` would be all there is.
HOME = "/srv/app"


class PlanError(ValueError):
    """No plan can be made of a repository; the message says what to add or change.

    What it repeats of the repository may be anything: only what can be printed is kept.
    """

    def __init__(self, message: str) -> None:
        super().__init__("".join(char if char.isprintable() else "\ufffd" for char in message))


class Step(msgspec.Struct, frozen=True):
    """Commands that run one after another, in one layer.

    `needs` are the files of the repository that they read, of which `.` means all; `caches` are
    folders that are kept from build to build, and are in no image.
    """

    title: str
    commands: list[str]
    needs: list[str] = []
    caches: list[str] = []


class Stage(msgspec.Struct, frozen=True):
    """Steps that build upon `base`, an image or a stage before; only its parts are shipped.

    `path` are the folders that programs are looked for in, before those of the base.
    """

    name: str
    base: str
    steps: list[Step]
    environment: dict[str, str] = {}
    path: list[str] = []


class Part(msgspec.Struct, frozen=True):
    """Something that the image is made of: from a stage, or without one from the repository.

    What is `owned` belongs to the user that the image runs as, who may write there.
    """

    source: str
    target: str
    stage: str | None = None
    owned: bool = True


class Plan(msgspec.Struct, frozen=True):
    """How a repository becomes an image.

    `stages` install and build, `parts` are laid upon `base` to make the image, and `processes`
    are the commands of its process types, for a shell. `reasons` say in sentences what was found,
    and what follows from it.
    """

    provider: str
    version: str | None
    reasons: list[str]
    stages: list[Stage]
    base: str
    parts: list[Part]
    processes: dict[str, str]
    environment: dict[str, str] = {}
    path: list[str] = []

    def bases(self) -> Iterator[str]:
        """List the images that it builds upon."""
        made = {stage.name for stage in self.stages}
        yield from dict.fromkeys(
            base for base in (*(stage.base for stage in self.stages), self.base) if base not in made
        )

    def needs(self) -> Iterator[str]:
        """List the files of the repository that steps and parts name."""
        for stage in self.stages:
            for step in stage.steps:
                yield from step.needs
        yield from (part.source for part in self.parts if part.stage is None)
