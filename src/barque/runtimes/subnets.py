"""Which subnets networks get.

An engine's own choice ends after some thirty networks, so Barque chooses: one /23 (510 containers)
for each environment, from 10.212.0.0/14, that no route of this machine leads to already.
"""

import hashlib
import socket
import struct
from collections.abc import Container, Iterable, Iterator
from ipaddress import IPv4Network
from pathlib import Path

POOL = IPv4Network("10.212.0.0/14")
_PREFIX = 23
_DYNAMIC = 26
_ROUTES = Path("/proc/net/route")


def free_subnets(name: str, routed: Iterable[IPv4Network]) -> Iterator[IPv4Network]:
    """Offer the pool's subnets that overlap no route, from a place that depends on `name`.

    Two networks made at the same time thus seldom ask for the same one.
    """
    taken = [route for route in routed if route.overlaps(POOL) and route.prefixlen > 0]
    offers = list(POOL.subnets(new_prefix=_PREFIX))
    first = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4]) % len(offers)
    for offer in offers[first:] + offers[:first]:
        if not any(offer.overlaps(route) for route in taken):
            yield offer


def dynamic_range(subnet: IPv4Network) -> IPv4Network:
    """Return the part of a subnet that the engine gives addresses from: its last 64."""
    return list(subnet.subnets(new_prefix=_DYNAMIC))[-1]


def next_address(subnet: IPv4Network, taken: Container[str], last: str | None) -> str | None:
    """Return the next free address after `last` that the engine itself gives to none.

    An address that was just given up is thus the last to be used again. None when all are taken.
    """
    own = dynamic_range(subnet)
    # The first address is the gateway's.
    offers = [str(one) for one in list(subnet.hosts())[1:] if one not in own]
    start = offers.index(last) + 1 if last in offers else 0
    return next((one for one in offers[start:] + offers[:start] if one not in taken), None)


def routed_subnets() -> list[IPv4Network]:
    """List the IPv4 networks that this machine has routes to."""
    rows = (line.split() for line in _ROUTES.read_text().splitlines()[1:])
    return [IPv4Network((_dotted(row[1]), _dotted(row[7]))) for row in rows]


def _dotted(hexadecimal: str) -> str:
    # The kernel prints addresses as numbers of the machine's own byte order.
    return socket.inet_ntoa(struct.pack("=I", int(hexadecimal, 16)))
