"""The configuration of HAProxy, rendered whole from what is to be routed."""

from collections import deque
from collections.abc import Mapping
from pathlib import Path

from barque.routing.port import Server

_TEMPLATE = """\
global
    description {description}
    stats socket {socket} mode 600 level admin expose-fd listeners
    hard-stop-after 1h
    noreuseport
    # Each thread has idle connections of its own: looking for those of others costs more than the
    # few more connections that instances hold.
    tune.idle-pool.shared off
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
    retry-on conn-failure empty-response
    option redispatch 1
    option idle-close-on-response
    option forwardfor
    http-reuse safe
    http-error status 503 content-type text/plain string "no web process is running\\n"
frontend apps
    bind {address}:{port}
    # When an instance hangs up before it answers, what may be asked twice is asked again.
    http-request disable-l7-retry unless METH_GET or METH_HEAD or METH_OPTIONS
    http-request set-header X-Forwarded-Proto http
    http-request set-header X-Forwarded-Host %[req.hdr(host)]
    http-request set-var(txn.host) req.hdr(host),field(1,:),lower
    # A host that has just moved is in a map of its own: it is small, and so quickly changed.
    http-request set-var(txn.to) var(txn.host),map_str({moved})
    http-request set-var(txn.to,ifnotset) var(txn.host),map_str({hosts},nowhere)
    use_backend %[var(txn.to)]
backend nowhere
    http-request return status 404 content-type text/plain string "no service has this address\\n"
"""


class Slots:
    """Backends that are there beforehand, so that a new upstream needs no reload.

    One that was given back is the last to be taken again.
    """

    def __init__(self, count: int) -> None:
        self.count = 0
        self.taken: dict[str, str] = {}
        self._free: deque[str] = deque()
        self.grow(count)

    def grow(self, count: int) -> None:
        """Have `count` slots from now on, which are more than before."""
        self._free.extend(map(self.name, range(self.count, count)))
        self.count = count

    def take(self, upstream: str) -> bool:
        """Give an upstream a slot, unless it has one. Returns False when none is free."""
        if upstream not in self.taken:
            if not self._free:
                return False
            self.taken[upstream] = self._free.popleft()
        return True

    def give_back(self, upstream: str) -> str | None:
        """Take an upstream's slot from it, and return that if it had one."""
        slot = self.taken.pop(upstream, None)
        if slot is not None:
            self._free.append(slot)
        return slot

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
    moved: Path,
    slots: Slots,
    upstreams: Mapping[str, Mapping[str, Server]],
) -> str:
    """Render a configuration that serves all of `upstreams` from its first instant."""
    parts = [
        _TEMPLATE.format(
            description=description, socket=socket, address=address, port=port, hosts=hosts,
            moved=moved,
        )
    ]  # fmt: skip
    held = {slot: upstream for upstream, slot in slots.taken.items()}
    for slot in map(Slots.name, range(slots.count)):
        parts.append(f"backend {slot}\n    balance leastconn\n")
        for server in upstreams.get(held.get(slot, ""), {}).values():
            off = "" if server.enabled else " disabled"
            parts.append(f"    server {server.name} {server.address}:{server.port}{off}\n")
    return "".join(parts)
