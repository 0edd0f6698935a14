"""What the platform asks of a router.

An *upstream* is the set of instances of one deployment's `web` process; a *route* points a host
name at one upstream. A rollout fills a new upstream, points the host at it in one atomic step,
waits until nothing is in flight in the old one, and removes that.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol


class RouterUnavailable(Exception):
    """The router does not answer, or could not be started."""


@dataclass(frozen=True, slots=True)
class Server:
    """One instance behind an upstream.

    `name` is unique within the upstream (`[a-z0-9-]+`), `address` an IPv4 address, `port` 1..65535.
    A server that is not `enabled` gets no new request.
    """

    name: str
    address: str
    port: int
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class RoutingTable:
    """All that the router has to know: it can be rebuilt from this alone.

    `upstreams` maps an upstream's name to its servers, `routes` a host name to an upstream's name.
    """

    upstreams: Mapping[str, Sequence[Server]] = field(default_factory=dict)
    routes: Mapping[str, str] = field(default_factory=dict)


class Router(Protocol):
    """A reverse proxy that is changed while it serves. Every call may be made twice.

    Every method raises `RouterUnavailable` when the router cannot be reached.
    """

    async def start(self, table: RoutingTable) -> None:
        """Adopt the running router, or start one, and make it agree with `table`."""

    async def ping(self) -> None:
        """Return if the router answers."""

    async def put_upstream(self, upstream: str, servers: Sequence[Server]) -> None:
        """Make `upstream` hold exactly `servers`; a server that left gets no new request."""

    async def enable(self, upstream: str, server: str, enabled: bool) -> None:
        """Send new requests to a server, or none; one that is not known is no error."""

    async def drop_upstream(self, upstream: str) -> None:
        """Forget `upstream` and its servers."""

    async def point(self, host: str, upstream: str) -> None:
        """Send every new request for `host` to `upstream`, from one request to the next."""

    async def unroute(self, host: str) -> None:
        """Answer 404 to `host` from now on."""

    async def in_flight(self, upstream: str, server: str | None = None) -> int:
        """Count the requests that `upstream`, or one of its servers, is still answering."""

    async def stop(self) -> None:
        """End the router itself: every service stops being served."""
