"""Endpoints about the platform itself."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from barque.http import Answer, Call, Routes
from barque.settings import PLATFORM_NAMES
from barque.system.docs import page
from barque.system.metrics import exposition

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
async def get_health(_: Call) -> Health:
    """Tell that the process is up."""
    return Health("ok")


class Readiness(msgspec.Struct, frozen=True):
    """Whether each thing that the platform needs answers: `ok`, or why not."""

    status: str
    database: str
    engine: str
    router: str


@routes.endpoint("GET", "/ready", answer=Readiness, public=True, also=(503,))
async def get_readiness(call: Call) -> Answer:
    """Tell whether database, engine and router answer."""
    platform = call.platform
    found = {
        "database": await _state(platform.database.ping),
        "engine": await _state(platform.runtime.ping),
        "router": await _state(platform.router.ping),
    }
    well = all(state == "ok" for state in found.values())
    return Answer(Readiness("ok" if well else "unavailable", **found), 200 if well else 503)


async def _state(ping: Callable[[], Awaitable[None]]) -> str:
    try:
        await ping()
    except Exception as error:
        # Whatever it is: this is the place to say it, and no reason to fail.
        return str(error) or type(error).__name__
    return "ok"


@routes.endpoint(
    "GET", "/metrics", public=True, media="text/plain; version=0.0.4; charset=utf-8",
    errors=(503,),
)  # fmt: skip
async def get_metrics(call: Call) -> Answer:
    """Show counts and times of the platform, for Prometheus."""
    return Answer(raw=await exposition(call.platform), media=call.endpoint.media)


@routes.endpoint("GET", "/schema/openapi.json", answer=dict[str, Any], public=True)
async def get_openapi(call: Call) -> Answer:
    """Show the OpenAPI 3.1 document of this very platform."""
    return Answer(call.platform.api_document)


@routes.endpoint("GET", "/docs", public=True, media="text/html; charset=utf-8")
async def get_docs(call: Call) -> Answer:
    """Show the API reference as a page to browse."""
    return Answer(raw=page(call.platform.api_document), media=call.endpoint.media)
