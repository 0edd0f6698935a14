"""HAProxy, changed only through its runtime API while it serves.

It runs in a session of its own, and so outlives the platform. A start of the platform renders the
whole state and reloads without dropping a connection; every change after that is a command.
"""

import asyncio
import contextlib
import os
import re
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from barque.routing.haproxy_config import Slots, render
from barque.routing.port import RouterUnavailable, RoutingTable, Server

_START = 30.0
_PRIORITY = -5
_COMMAND = 10.0
_SCUR = 4
_SVNAME = 1
# The columns of `show servers state`.
_BACKEND, _SERVER = 1, 3
_DELETED = "Server deleted."
_DONE = re.compile(r"|New server registered\.|(IP|port) changed .*|no need to change .*")
# The router reads no more than 16 KiB at once; one command stays far below 1 KiB.
_AT_ONCE = 15


class HAProxyRouter:
    """A router whose files are in `folder`, serving at `address:port`."""

    def __init__(self, folder: Path, address: str, port: int, slots: int = 64) -> None:
        self._folder = folder
        self._address = address
        self._port = port
        self._slots = Slots(slots)
        self._upstreams: dict[str, dict[str, Server]] = {}
        self._routes: dict[str, str] = {}
        # Changing an entry of a map takes as long as the map is. A host that moves gets one in a
        # map that is nearly empty and goes before the other, which is changed when there is time.
        self._moving: set[str] = set()
        self._leaving: set[str] = set()
        self._turn = asyncio.Lock()
        self._told = False
        self._process: subprocess.Popen[bytes] | None = None
        # A socket's path may have no more than 107 bytes, and data dirs nest deeper than that.
        short = sha256(str(folder).encode()).hexdigest()[:12]
        self._sockets = Path(tempfile.gettempdir()) / f"barque-router-{short}"
        self._worker = self._sockets / "worker"
        self._master = self._sockets / "master"
        self._hosts = folder / "hosts.map"
        self._moved = folder / "moved.map"

    async def start(self, table: RoutingTable) -> None:
        """Adopt the running router, or start one, and make it agree with `table`."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._sockets.mkdir(exist_ok=True, mode=0o700)
        self._upstreams = {name: _named(name, group) for name, group in table.upstreams.items()}
        self._routes = dict(table.routes)
        self._slots = Slots(self._slots.count)
        async with self._turn:
            await self._render_and_load()
            self._told = True

    async def ping(self) -> None:
        """Return if the router answers."""
        await self._tell("show info")

    async def put_upstream(self, upstream: str, servers: Sequence[Server]) -> None:
        """Make `upstream` hold exactly `servers`; a server that left gets no new request."""
        async with self._changing():
            present = self._upstreams.get(upstream, {})
            wanted = _named(upstream, servers)
            self._upstreams[upstream] = wanted
            if not self._slots.take(upstream):
                await self._render_and_load()
                return
            slot = self._slots.taken[upstream]
            commands: list[str] = []
            for name, server in wanted.items():
                if present.get(name) != server:
                    commands += _put_server(f"{slot}/{name}", server, name in present)
            gone = [f"{slot}/{name}" for name in present.keys() - wanted.keys()]
            await self._change(*commands, *map(_out_of_use, gone))
            await self._delete(gone)

    async def enable(self, upstream: str, server: str, enabled: bool) -> None:
        """Send new requests to a server, or none; one that is not known is no error."""
        async with self._changing():
            name, slot = _qualified(upstream, server), self._slots.taken.get(upstream)
            known = self._upstreams.get(upstream, {}).get(name)
            if slot is not None and known is not None and known.enabled != enabled:
                self._upstreams[upstream][name] = replace(known, enabled=enabled)
                await self._change(_state(f"{slot}/{name}", enabled))

    async def drop_upstream(self, upstream: str) -> None:
        """Forget `upstream` and its servers."""
        async with self._changing():
            await self._settle()
            slot = self._slots.give_back(upstream)
            gone = [f"{slot}/{name}" for name in self._upstreams.pop(upstream, {})]
            await self._change(*map(_out_of_use, gone))
            await self._delete(gone)

    async def point(self, host: str, upstream: str) -> None:
        """Send every new request for `host` to `upstream`, from one request to the next."""
        async with self._changing():
            verb, place = "set" if host in self._moving else "add", self._hosts
            slot = self._slots.taken[upstream]
            if host in self._routes:
                place = self._moved
                self._moving.add(host)
            self._routes[host] = upstream
            await self._change(f"{verb} map {place} {host} {slot}")

    async def unroute(self, host: str) -> None:
        """Answer 404 to `host` from now on."""
        async with self._changing():
            await self._settle()
            if self._routes.pop(host, None) is not None:
                await self._tell(f"del map {self._hosts} {host}")

    async def present(self) -> dict[str, set[str]]:
        """Tell what the router itself knows: each host's upstreams, whoever has made them.

        Raises `RouterUnavailable`.
        """
        listed = await self._tell("show servers state")
        behind: dict[str, set[str]] = {}
        for row in (line.split() for line in listed.splitlines()):
            if len(row) > _SERVER and row[_BACKEND].startswith("slot"):
                upstream = row[_SERVER].rpartition(".")[0]
                behind.setdefault(row[_BACKEND], set()).add(upstream)
        found: dict[str, set[str]] = {}
        # One that has moved is in both maps, and the second counts.
        for place in (self._hosts, self._moved):
            entries = (await self._tell(f"show map {place}")).splitlines()
            found |= {
                host: behind.get(to, set()) for _, host, to in map(str.split, filter(None, entries))
            }
        return found

    async def in_flight(self, upstream: str, server: str | None = None) -> int:
        """Count the requests that `upstream`, or one of its servers, is still answering.

        Workers that a reload has retired are still answering theirs, and count too.
        """
        slot = self._slots.taken.get(upstream)
        if slot is None:
            return 0
        names = set(self._upstreams.get(upstream, {}))
        if server is not None:
            names &= {_qualified(upstream, server)}
        total = _sessions(await self._tell(f"show stat {slot} 4 -1"), names)
        processes = await self._tell("show proc", self._master)
        for pid in _old_workers(processes):
            with contextlib.suppress(RouterUnavailable):
                said = await self._tell(f"@!{pid} show stat {slot} 4 -1", self._master)
                total += _sessions(said, names)
        return total

    async def stop(self) -> None:
        """End the router itself: every service stops being served."""
        with contextlib.suppress(RouterUnavailable):
            processes = await self._tell("show proc", self._master)
            pids = [int(line.split()[0]) for line in processes.splitlines() if line[:1].isdigit()]
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGTERM)
        for path in (self._worker, self._master):
            path.unlink(missing_ok=True)

    @asynccontextmanager
    async def _changing(self) -> AsyncIterator[None]:
        """Take the turn to change it; before the start, a change would take all else away."""
        async with self._turn:
            if not self._told:
                raise RouterUnavailable("the router was not told yet what it serves")
            yield

    async def _settle(self) -> None:
        """Write what has moved into the map of all hosts, from one request to the next."""
        for host in sorted(self._moving):
            slot = self._slots.taken[self._routes[host]]
            await self._tell(f"del map {self._hosts} {host}")
            await self._change(
                f"add map {self._hosts} {host} {slot}", f"del map {self._moved} {host}"
            )
            self._moving.discard(host)

    async def _delete(self, places: Iterable[str]) -> None:
        # Deleting is refused while a request is in flight: the server stays, out of use, until a
        # later change finds it idle.
        self._leaving |= set(places)
        leaving = list(self._leaving)
        said = await self._tell_all([f"del server {place}" for place in leaving])
        self._leaving -= {
            place for place, one in zip(leaving, said, strict=True) if _DELETED in one
        }

    async def _change(self, *commands: str) -> None:
        for command, said in zip(commands, await self._tell_all(commands), strict=True):
            if not _DONE.fullmatch(said):
                raise RouterUnavailable(f"the router refused '{command}': {said}")

    async def _tell_all(self, commands: Sequence[str]) -> list[str]:
        """Give commands that answer at most one line, all at once; return what each answered."""
        answers: list[str] = []
        for start in range(0, len(commands), _AT_ONCE):
            some = commands[start : start + _AT_ONCE]
            lines = iter((await self._tell("; ".join(some))).splitlines())
            answers += ["\n".join(iter(lambda: next(lines, ""), "")) for _ in some]  # noqa: B023
        return answers

    async def _render_and_load(self) -> None:
        while not all(self._slots.take(upstream) for upstream in self._upstreams):
            self._slots.grow(self._slots.count * 2)
        self._leaving.clear()
        self._moving.clear()
        text = "".join(f"{h} {self._slots.taken[u]}\n" for h, u in self._routes.items())
        description = sha256(os.urandom(16)).hexdigest()[:16]
        config = render(
            description=description, socket=self._worker, address=self._address, port=self._port,
            hosts=self._hosts, moved=self._moved, slots=self._slots, upstreams=self._upstreams,
        )  # fmt: skip
        self._hosts.write_text(text)
        self._moved.write_text("")
        (self._folder / "haproxy.cfg").write_text(config)
        if not await self._reload():
            await asyncio.to_thread(self._launch)
        async with asyncio.timeout(_START):
            await self._until(description)

    async def _reload(self) -> bool:
        """Ask the running master to load the configuration. Returns False when none runs."""
        try:
            reader, writer = await asyncio.open_unix_connection(self._master)
        except OSError:
            return False
        # The master hangs up as it starts over: that is no error, and says nothing.
        with contextlib.suppress(OSError):
            writer.write(b"reload\n")
            writer.write_eof()
            async with asyncio.timeout(_COMMAND):
                await reader.read()
        writer.close()
        return True

    def _launch(self) -> None:
        config = self._folder / "haproxy.cfg"
        checked = subprocess.run(
            ["haproxy", "-c", "-f", config], capture_output=True, text=True, check=False
        )
        if checked.returncode != 0:
            raise RouterUnavailable(f"HAProxy refuses its configuration: {checked.stderr[-500:]}")
        with (self._folder / "haproxy.log").open("wb") as log:
            self._process = subprocess.Popen(
                ["haproxy", "-W", "-S", f"{self._master},mode,600", "-f", config],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        # Where that is allowed, requests go before builds, rollouts and the rest. The workers are
        # born later, when the master has read its configuration.
        with contextlib.suppress(PermissionError, ProcessLookupError):
            os.setpriority(os.PRIO_PROCESS, self._process.pid, _PRIORITY)

    async def _until(self, description: str) -> None:
        while True:
            with contextlib.suppress(RouterUnavailable):
                # The master listens a moment after its worker does, at each load anew.
                await self._tell("show proc", self._master)
                if description in await self._tell("show info"):
                    return
            if self._process is not None and self._process.poll() is not None:
                log = self._folder / "haproxy.log"
                said = (await asyncio.to_thread(log.read_text))[-500:]
                raise RouterUnavailable(f"HAProxy did not start (is the port taken?): {said}")
            await asyncio.sleep(0.01)

    async def _tell(self, command: str, socket: Path | None = None) -> str:
        try:
            async with asyncio.timeout(_COMMAND):
                reader, writer = await asyncio.open_unix_connection(socket or self._worker)
                try:
                    writer.write(command.encode() + b"\n")
                    writer.write_eof()
                    return (await reader.read()).decode(errors="replace")
                finally:
                    writer.close()
        except (OSError, TimeoutError) as error:
            raise RouterUnavailable("the router does not answer") from error


def _put_server(place: str, server: Server, known: bool) -> list[str]:
    if known:
        return [
            f"set server {place} addr {server.address} port {server.port}",
            _state(place, server.enabled),
        ]
    # Unlike one of the configuration, a server that is added keeps no connection to use again
    # unless it is told to.
    return [
        f"add server {place} {server.address}:{server.port} pool-max-conn -1 pool-purge-delay 2s",
        _state(place, server.enabled),
    ]


def _out_of_use(place: str) -> str:
    return _state(place, False)


def _state(place: str, enabled: bool) -> str:
    return f"set server {place} state {'ready' if enabled else 'maint'}"


def _qualified(upstream: str, server: str) -> str:
    """Name a server as no other of any upstream is named.

    A slot is taken again while a server that left it still answers its last request, and the two
    must not be mistaken for each other.
    """
    return f"{upstream}.{server}"


def _named(upstream: str, servers: Sequence[Server]) -> dict[str, Server]:
    qualified = (replace(one, name=_qualified(upstream, one.name)) for one in servers)
    return {server.name: server for server in qualified}


def _sessions(stat: str, names: set[str]) -> int:
    rows = (line.split(",") for line in stat.splitlines() if line.startswith("slot"))
    return sum(int(row[_SCUR]) for row in rows if row[_SVNAME] in names)


def _old_workers(processes: str) -> list[str]:
    _, _, old = processes.partition("# old workers")
    return [line.split()[0] for line in old.splitlines() if line[:1].isdigit()]
