"""What the platform asks of a builder of images."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol


class BuildFailed(Exception):
    """The build ended without an image; the message is its last words."""


class BuilderUnavailable(Exception):
    """The builder could not be reached or started: trying again may help."""


@dataclass(frozen=True, slots=True)
class BuildSpec:
    """One image, as it is to be built.

    `context` is the folder that the build may read, `dockerfile` a path within it; `written` is
    a Dockerfile of the platform's own to use instead, from anywhere. `arguments` are offered as
    build arguments, `secrets` as BuildKit secrets of the same id, and `secret_files` likewise:
    no value appears in the process list, and no secret enters a layer.
    """

    context: Path
    tag: str
    dockerfile: str = "Dockerfile"
    labels: Mapping[str, str] = field(default_factory=dict)
    arguments: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    secret_files: Mapping[str, Path] = field(default_factory=dict)
    written: Path | None = None


class Builder(Protocol):
    """Something that builds images into an engine."""

    async def build(self, spec: BuildSpec, say: Callable[[str], None]) -> None:
        """Build `spec`, saying each line of the log as it comes.

        A cancelled call ends the build. Raises `BuildFailed` and `BuilderUnavailable`.
        """
