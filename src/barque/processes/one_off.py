"""One-off commands: a container of their own, removed when they have ended."""

import asyncio
import contextlib
from typing import TYPE_CHECKING

from barque.names import new_id
from barque.releases.models import Release
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
    instances, runtime = platform.instances, platform.runtime
    name = f"barque-run-{new_id()}"
    spec = instances.spec(name, release, place, "run", 0, {"barque.one_off": "1"}, command)
    platform.supervisor.one_offs.add(name)
    code: int | None = None
    try:
        await instances.prepare(place)
        await runtime.create(spec)
        await runtime.start(name)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                while (state := await runtime.inspect(name)) and state.state == "running":  # noqa: ASYNC110
                    await asyncio.sleep(_POLL)
                code = state.exit_code if state else None
        lines = await runtime.output(name)
    finally:
        await runtime.remove(name)
        platform.supervisor.one_offs.discard(name)
    masker = instances.masker(release, place)
    return code, "".join(f"{masker.mask(line.text)}\n" for line in lines)
