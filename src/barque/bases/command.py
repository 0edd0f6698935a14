"""Listing and making base images without a platform, on the engine of the settings."""

from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from barque.bases.debian import BaseImageError
from barque.bases.making import BaseImages
from barque.builders.buildkit import BuildKitBuilder
from barque.builders.port import BuilderUnavailable, BuildFailed
from barque.runtimes.docker import DockerRuntime
from barque.runtimes.port import RuntimeRefused, RuntimeUnavailable
from barque.settings import Settings

_LAST_LINES = 20


async def listing(settings: Settings) -> list[dict[str, object]]:
    """List the base images (see `BaseImages.listing`). Raises `OSError` without an engine."""
    async with _images(settings) as images:
        return await images.listing()


async def build(
    settings: Settings,
    names: Sequence[str],
    say: Callable[[str], None],
    *,
    verbose: bool,
    fresh: bool,
) -> None:
    """Make base images (see `BaseImages.make`), saying what is done, or each line if `verbose`.

    Raises `OSError` with what went wrong; then the last lines have been said.
    """
    last: deque[str] = deque(maxlen=_LAST_LINES)
    try:
        async with _images(settings) as images:
            await images.make(names, say, say if verbose else last.append, fresh=fresh)
    except OSError:
        for line in last:
            say(line)
        raise


@asynccontextmanager
async def _images(settings: Settings) -> AsyncIterator[BaseImages]:
    engine = settings.engine
    runtime = DockerRuntime(engine)
    try:
        yield BaseImages(settings, runtime, BuildKitBuilder(engine, settings.data_dir / "builder"))
    except (
        BaseImageError, BuildFailed, BuilderUnavailable, RuntimeRefused, RuntimeUnavailable,
    ) as error:  # fmt: skip
        raise OSError(str(error)) from None
    finally:
        await runtime.aclose()
