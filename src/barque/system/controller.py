"""Endpoints about the platform itself."""

import msgspec

from barque.http import Call, Routes
from barque.settings import PLATFORM_NAMES

routes = Routes()


class PlatformView(msgspec.Struct, frozen=True):
    """A platform name and its binding: `cpus` in cores, `memory_mb` in MiB, of one container."""

    name: str
    bound: bool
    driver: str
    cpus: float
    memory_mb: int


class Health(msgspec.Struct, frozen=True):
    """The process is up."""

    status: str


@routes.endpoint("GET", "/platforms", answer=list[PlatformView])
async def list_platforms(call: Call) -> list[PlatformView]:
    """List the six platform names with their bindings."""
    settings = call.platform.settings
    found = [(name, settings.platform(name)) for name in PLATFORM_NAMES]
    return [
        PlatformView(name, name in settings.platforms, to.driver, to.cpus, to.memory_mb)
        for name, to in found
    ]


@routes.endpoint("GET", "/health", answer=Health, public=True)
async def health(_: Call) -> Health:
    """Tell that the process is up."""
    return Health("ok")
