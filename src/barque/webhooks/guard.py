"""Which addresses a webhook may reach: the internet's, and whatever else the operator allows.

A name is looked up at the moment of each delivery, and what is connected to is exactly what was
checked: otherwise a name could lead into the operator's network once it was found harmless.
"""

import asyncio
import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

from aiohttp.abc import AbstractResolver, ResolveResult

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address

# Addresses of these stand for others, also private ones: IPv4 of old, 6to4, Teredo, translation.
_DISGUISES = [
    ip_network(one) for one in ("::/96", "2002::/16", "2001::/32", "64:ff9b::/96", "64:ff9b:1::/48")
]

_LOOKUPS = 64


class AddressRefused(Exception):
    """The address is not one that webhooks may reach; the message says what to do."""


class Guard(AbstractResolver):
    """Looks names up, and refuses what leads to a private address not in `allowed`."""

    def __init__(self, allowed: Sequence[Network] = ()) -> None:
        self._allowed = allowed
        # Threads of their own: a name whose servers are slow holds up no other work.
        self._threads = ThreadPoolExecutor(_LOOKUPS, "webhook-lookup")

    def check(self, host: str, address: str) -> None:
        """Return if the address, to which `host` led, may be reached. Raises `AddressRefused`."""
        # A link-local address may name its interface after a percent sign.
        found: Address = ip_address(address.partition("%")[0])
        if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
            found = found.ipv4_mapped
        if any(found in network for network in self._allowed) or _is_public(found):
            return
        raise AddressRefused(
            f"{host} is at the private address {found}: an operator can allow its network with "
            "BARQUE_WEBHOOK_ALLOW_PRIVATE"
        )

    def check_literal(self, host: str) -> None:
        """Check a host that is an address itself, as no lookup will. Raises `AddressRefused`."""
        if is_literal(host):
            self.check(host, host)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Look a name up (see `AbstractResolver`). Raises `AddressRefused`, and `OSError`."""
        found = await asyncio.get_running_loop().run_in_executor(
            self._threads, socket.getaddrinfo, host, port, family, socket.SOCK_STREAM
        )
        # All of them: which one is connected to is not for whoever owns the name to choose.
        for one in found:
            self.check(host, str(one[4][0]))
        return [
            ResolveResult(
                hostname=host, host=str(address[0]), port=port, family=kind, proto=protocol,
                flags=socket.AI_NUMERICHOST,
            )
            for kind, _, protocol, _, address in found
        ]  # fmt: skip

    async def close(self) -> None:
        """Close what was opened (see `AbstractResolver`)."""
        self._threads.shutdown(wait=False)


def is_literal(host: str) -> bool:
    """Tell whether a host of an address is an IP address."""
    try:
        ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def _is_public(address: Address) -> bool:
    disguised = any(address in network for network in _DISGUISES)
    return address.is_global and not address.is_multicast and not disguised
