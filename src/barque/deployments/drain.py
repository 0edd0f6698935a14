"""The second half of a rollout: requests in flight end, then the old containers do."""

import asyncio
from typing import TYPE_CHECKING

import structlog

from barque.processes.instances import POLL
from barque.routing.port import RouterUnavailable

if TYPE_CHECKING:
    from barque.platform import Platform

# A request between its routing and its server counts for neither at that very moment, so that the
# router has to say more than once that nothing is in flight.
_IDLE = 2

log = structlog.get_logger()


class Drain:
    """Waits for requests to end."""

    def __init__(self, platform: "Platform") -> None:
        self._platform = platform

    async def run(self, upstream: str, server: str | None = None) -> bool:
        """Wait until nothing is in flight, `drain_timeout` at most. Returns whether nothing is."""
        idle = 0
        try:
            async with asyncio.timeout(self._platform.settings.drain_timeout):
                while idle < _IDLE:
                    idle = 0 if await self._in_flight(upstream, server) else idle + 1
                    await asyncio.sleep(POLL)
        except TimeoutError:
            log.warning("requests were still in flight after drain_timeout", upstream=upstream)
        return idle >= _IDLE

    async def _in_flight(self, upstream: str, server: str | None) -> int:
        try:
            return await self._platform.router.in_flight(upstream, server)
        except RouterUnavailable:
            # With the router, every request that it carried has ended.
            return 0
