"""One-off commands: a container of their own, removed when they have ended."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from barque.names import new_id
from barque.releases.models import Release
from barque.runtimes.port import Session, Size
from barque.services.place import Place

if TYPE_CHECKING:
    from barque.platform import Platform

_POLL = 0.1


async def run_one_off(
    platform: "Platform", place: Place, release: Release, command: str, timeout: int
) -> tuple[int | None, str]:
    """Run a command in a release. Returns its exit code, or None after `timeout`, and its output.

    Raises `RuntimeRefused` and `RuntimeUnavailable`.
    """
    runtime, code = platform.runtime, None
    async with _container(platform, place, release, command) as name:
        await runtime.start(name)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                while (state := await runtime.inspect(name)) and state.state == "running":  # noqa: ASYNC110
                    await asyncio.sleep(_POLL)
                code = state.exit_code if state else None
        lines = await runtime.output(name)
    masker = platform.instances.masker(release, place)
    return code, "".join(f"{masker.mask(line.text)}\n" for line in lines)


@contextlib.asynccontextmanager
async def open_one_off(
    platform: "Platform", place: Place, release: Release, command: str, size: Size | None
) -> AsyncIterator[Session]:
    """Run a command in a release with its input open, on a terminal where there is a size.

    Raises `RuntimeRefused` and `RuntimeUnavailable`.
    """
    stdin: Literal["pipe", "terminal"] = "terminal" if size else "pipe"
    async with (
        _container(platform, place, release, command, stdin) as name,
        platform.runtime.open_container(name, size) as session,
    ):
        yield session


@contextlib.asynccontextmanager
async def _container(
    platform: "Platform", place: Place, release: Release, command: str,
    stdin: Literal["none", "pipe", "terminal"] = "none",
) -> AsyncIterator[str]:  # fmt: skip
    """Make a container for a command, and remove it in the end, also where this is cancelled."""
    instances, one_offs = platform.instances, platform.supervisor.one_offs
    name = f"barque-run-{new_id()}"
    spec = instances.spec(name, release, place, "run", 0, {"barque.one_off": "1"}, command)
    one_offs.add(name)
    try:
        await instances.prepare(place)
        await platform.runtime.create(replace(spec, stdin=stdin))
        yield name
    finally:
        await asyncio.shield(platform.runtime.remove(name))
        one_offs.discard(name)
