"""Commands inside of an instance that runs."""

import asyncio
from typing import TYPE_CHECKING

from barque.errors import Conflict
from barque.releases.models import Release
from barque.runtimes.port import ContainerState
from barque.services.place import Place

if TYPE_CHECKING:
    from barque.platform import Platform

_KILLED = 137
_GLANCE, _GLANCES = 0.1, 15


async def instance_of(
    platform: "Platform", place: Place, deployment_id: str, process: str, index: int | None
) -> str:
    """Return the container of an instance that runs, the first unless one is named.

    Raises `Conflict` where there is none, and `RuntimeUnavailable`.
    """
    labels = {"barque.deployment_id": deployment_id, "barque.process": process}
    if index is not None:
        labels["barque.index"] = str(index)
    found = await platform.runtime.containers(labels)
    for name in sorted(found, key=lambda one: int(found[one]["barque.index"])):
        state = await platform.runtime.inspect(name)
        if state is not None and state.state == "running":
            return name
    which = process if index is None else f"{process}.{index}"
    raise Conflict(
        f"no {which} of {place.path} runs: see which do with GET .../processes, or run the command "
        "in a container of its own with POST .../run"
    )


async def goes_on(
    platform: "Platform", name: str, before: ContainerState | None, code: int
) -> bool:
    """Tell whether a container runs on after a command in it ended with a code."""
    after = await platform.runtime.inspect(name)
    # What was killed may have been so with its container, of which the engine tells a little later.
    for _ in range(_GLANCES if code == _KILLED else 0):
        if not _is_same(before, after):
            break
        await asyncio.sleep(_GLANCE)
        after = await platform.runtime.inspect(name)
    return _is_same(before, after)


def _is_same(before: ContainerState | None, after: ContainerState | None) -> bool:
    if before is None or after is None or after.state != "running":
        return False
    return before.started == after.started


async def execute(
    platform: "Platform", place: Place, release: Release, name: str, command: str, timeout: int
) -> tuple[int | None, str]:
    """Run a command in a container. Returns its exit code, None after `timeout`, and its output.

    Raises `RuntimeRefused` and `RuntimeUnavailable`.
    """
    code, output = await platform.runtime.execute(name, command, timeout)
    return code, platform.instances.masker(release, place).mask(output)
