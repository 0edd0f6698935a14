"""What runs of a service just now, instance by instance."""

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from barque.deployments.service import live_deployment
from barque.fields import Moment
from barque.releases.models import Release
from barque.runtimes.port import Runtime
from barque.services.place import Place

if TYPE_CHECKING:
    from barque.platform import Platform

_SAMPLE = 0.2


class ProcessView(msgspec.Struct, frozen=True):
    """One instance: `release` is a version, `cpu` in cores, `memory` in bytes, both just now."""

    type: str
    index: int
    state: str
    release: int
    started: Moment | None
    restarts: int
    cpu: float
    memory: int


async def processes_of(platform: "Platform", place: Place) -> list[ProcessView]:
    """List the instances of the live deployment. Raises `RuntimeUnavailable`."""
    async with platform.database.read() as session:
        deployment = await live_deployment(session, place.svc.id)
        if deployment is None:
            return []
        release = await session.get_one(Release, deployment.release_id)
    labels = {"barque.deployment_id": deployment.id}
    found = await platform.runtime.containers(labels)
    rows = await asyncio.gather(
        *(_process(platform.runtime, name, own, release.version) for name, own in found.items())
    )
    shown = [row for row in rows if row is not None and row.type != "release"]
    return sorted(shown, key=lambda row: (row.type != "web", row.type, row.index))


async def _process(
    runtime: Runtime, name: str, labels: Mapping[str, str], release: int
) -> ProcessView | None:
    state = await runtime.inspect(name)
    if state is None:
        return None
    first = await runtime.usage(name)
    await asyncio.sleep(_SAMPLE if first else 0)
    second = await runtime.usage(name) if first else None
    cpu = (second.cpu - first.cpu) / _SAMPLE if first and second else 0.0
    return ProcessView(
        labels["barque.process"], int(labels["barque.index"]), state.state, release,
        state.started, state.restarts, round(max(cpu, 0.0), 3), second.memory if second else 0,
    )  # fmt: skip
