"""The configuration of HAProxy, rendered whole from what is to be routed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from barque.routing.port import Server

_TEMPLATE = """\
global
    description {description}
    stats socket {socket} mode 600 level admin expose-fd listeners
    hard-stop-after 1h
    noreuseport
defaults
    mode http
    timeout connect 5s
    timeout http-request 30s
    timeout http-keep-alive 1h
    timeout client 1h
    timeout server 1h
    timeout tunnel 24h
    timeout queue 30s
    retries 3
    retry-on conn-failure
    option redispatch 1
    option idle-close-on-response
    option forwardfor
    http-reuse safe
    http-error status 503 content-type text/plain string "no web process is running\\n"
frontend apps
    bind {address}:{port}
    http-request set-header X-Forwarded-Proto http
    http-request set-header X-Forwarded-Host %[req.hdr(host)]
    use_backend %[req.hdr(host),field(1,:),lower,map_str({hosts},nowhere)]
backend nowhere
    http-request return status 404 content-type text/plain string "no service has this address\\n"
"""


@dataclass(slots=True)
class Slots:
    """Backends that are there beforehand, so that a new upstream needs no reload."""

    count: int
    taken: dict[str, str] = field(default_factory=dict)

    def take(self, upstream: str) -> bool:
        """Give an upstream a free slot. Returns False when there is none."""
        used = set(self.taken.values())
        free = (name for name in map(self.name, range(self.count)) if name not in used)
        slot = self.taken.get(upstream) or next(free, None)
        if slot is not None:
            self.taken[upstream] = slot
        return slot is not None

    @staticmethod
    def name(number: int) -> str:
        """Return the name of a slot's backend."""
        return f"slot{number}"


def render(
    *,
    description: str,
    socket: Path,
    address: str,
    port: int,
    hosts: Path,
    slots: Slots,
    upstreams: Mapping[str, Mapping[str, Server]],
) -> str:
    """Render a configuration that serves all of `upstreams` from its first instant."""
    parts = [
        _TEMPLATE.format(
            description=description, socket=socket, address=address, port=port, hosts=hosts,
            )
    ]  # fmt: skip
    held = {slot: upstream for upstream, slot in slots.taken.items()}
    for slot in map(Slots.name, range(slots.count)):
        parts.append(f"backend {slot}\n    balance leastconn\n")
        for server in upstreams.get(held.get(slot, ""), {}).values():
            off = "" if server.enabled else " disabled"
            parts.append(f"    server {server.name} {server.address}:{server.port}{off}\n")
    return "".join(parts)
