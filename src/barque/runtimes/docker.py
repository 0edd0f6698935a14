"""The Docker Engine, over its HTTP API."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiodocker
import aiohttp
import msgspec
from aiodocker.exceptions import DockerError

from barque.runtimes.execution import Execution
from barque.runtimes.output import Output
from barque.runtimes.port import (
    ContainerSpec,
    ContainerState,
    Event,
    ImageInfo,
    ImageMissing,
    OutputLine,
    RuntimeRefused,
    RuntimeUnavailable,
    Session,
    Size,
    Usage,
)
from barque.runtimes.session import SIZED, Engine, command_session, container_session
from barque.runtimes.subnets import POOL, dynamic_range, free_subnets, next_address, routed_subnets

# How the address of an engine may begin.
SCHEMES = ("unix://", "tcp://", "http://", "https://")

# What an image's entry point may need to set up its files and change user, and nothing more.
_CAPABILITIES = [
    "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "NET_BIND_SERVICE", "SETGID", "SETUID",
]  # fmt: skip
_ATTACHED = {
    "OpenStdin": True, "StdinOnce": True,
    "AttachStdin": True, "AttachStdout": True, "AttachStderr": True,
}  # fmt: skip
_BOUNDED_LOG = {"Type": "json-file", "Config": {"max-size": "10m", "max-file": "2"}}
_STATES = {"created": "created", "restarting": "restarting", "exited": "exited", "dead": "exited"}
# An address is noted as a label, where it is found also while the container is down.
_NETWORK, _ADDRESS = "barque.network", "barque.address"
_CALL = 60
# Where processors are short, what serves goes before what only starts.
_STARTING, _SERVING = 128, 1024
_PRUNING = 600
_LAST_WORDS = 500
_PROGRESS = {"Pulling fs layer", "Waiting", "Verifying Checksum", "Download complete"}


@dataclass(frozen=True, slots=True)
class About:
    """An engine: its version, that of its API, and its clock."""

    version: str
    api: str
    clock: datetime | None


class DockerRuntime:
    """An engine at `host` (`unix://...` or `tcp://...`). It connects at the first call."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._docker: aiodocker.Docker | None = None
        self._addressing = asyncio.Lock()
        self._networking = asyncio.Lock()
        self._last_address: dict[str, str] = {}

    async def ping(self) -> None:
        """Return if the engine answers."""
        await self._ask("GET", "version")

    async def about(self) -> About:
        """Tell which engine it is, and what moment it takes this to be."""
        version, info = await self._ask("GET", "version"), await self._ask("GET", "info")
        clock = _moment(info["SystemTime"]) if info.get("SystemTime") else None
        return About(version["Version"], version["ApiVersion"], clock)

    async def ensure_network(self, name: str, labels: Mapping[str, str]) -> None:
        """Make the network unless it is there."""
        # One at a time: the engine itself would make several of one name, and then know none by it.
        async with self._networking:
            await self._ensure_network(name, labels)

    async def _ensure_network(self, name: str, labels: Mapping[str, str]) -> None:
        if await self._find(f"networks/{name}") is not None:
            return
        body: dict[str, Any] = {"Name": name, "CheckDuplicate": True, "Labels": dict(labels)}
        for subnet in free_subnets(name, await asyncio.to_thread(routed_subnets)):
            shares = {"Subnet": str(subnet), "IPRange": str(dynamic_range(subnet))}
            body["IPAM"] = {"Config": [shares]}
            try:
                await self._ask("POST", "networks/create", body)
            except RuntimeRefused as error:
                if "already exists" in str(error):
                    return
                if "overlaps" not in str(error):
                    raise
            else:
                return
        raise RuntimeRefused(f"{POOL} has no free subnet: delete environments that are not used")

    async def remove_network(self, name: str) -> None:
        """Remove the network; one that is not there is no error."""
        await self._gone("DELETE", f"networks/{name}")

    async def networks(self, labels: Mapping[str, str]) -> list[str]:
        """List the names of the networks that carry all of `labels`."""
        found = await self._ask("GET", "networks", filters=_filters(labels))
        return [network["Name"] for network in found]

    async def create(self, spec: ContainerSpec) -> None:
        """Make the container unless one of its name is there. Raises `ImageMissing`."""
        try:
            # One at a time: an address counts as taken from the creation on.
            async with self._addressing:
                address = await self._free_address(spec.network)
                await self._ask("POST", "containers/create", _body(spec, address), name=spec.name)
        except RuntimeRefused as error:
            if "No such image" in str(error):
                raise ImageMissing(
                    f"the engine no longer holds the image {spec.image}: build it again"
                ) from None
            if "already in use" not in str(error):
                raise

    async def start(self, name: str) -> None:
        """Start the container unless it runs."""
        await self._ask("POST", f"containers/{name}/start")

    async def _free_address(self, network: str) -> str:
        """Choose an address that no container of the network has, of those it gives to none.

        The engine would give the address of a container that is down to the next one, and the
        router would send requests to that for the other.
        """
        found = await self._ask("GET", f"networks/{network}")
        subnet = IPv4Network(found["IPAM"]["Config"][0]["Subnet"])
        present = await self.containers({_NETWORK: network})
        taken = {labels.get(_ADDRESS, "") for labels in present.values()}
        address = next_address(subnet, taken, self._last_address.get(network))
        if address is None:
            raise RuntimeRefused(f"the network {network} is full: scale down, or stop a service")
        self._last_address[network] = address
        return address

    async def keep_running(self, name: str, keep: bool) -> None:
        """Have the engine itself restart the container when it ends, with back-off, or not."""
        policy = {"RestartPolicy": {"Name": "always" if keep else "no"}}
        await self._ask("POST", f"containers/{name}/update", {**policy, "CpuShares": _SERVING})

    async def stop(self, name: str, timeout: int) -> None:
        """Send SIGTERM, and SIGKILL after `timeout` seconds; one that is not there is no error."""
        await self._gone("POST", f"containers/{name}/stop", wait=timeout + _CALL, t=str(timeout))

    async def remove(self, name: str) -> None:
        """Kill and remove the container; one that is not there is no error."""
        await self._gone("DELETE", f"containers/{name}", force="true", v="true")

    async def inspect(self, name: str) -> ContainerState | None:
        """Describe the container, or None when it is not there."""
        found = await self._find(f"containers/{name}/json")
        return _state(found) if found is not None else None

    async def containers(self, labels: Mapping[str, str]) -> dict[str, Mapping[str, str]]:
        """Map the names of the containers that carry all of `labels` to their own labels."""
        found = await self._ask("GET", "containers/json", all="true", filters=_filters(labels))
        return {one["Names"][0].removeprefix("/"): one["Labels"] for one in found if one["Names"]}

    async def usage(self, name: str) -> Usage | None:
        """Tell what the container has used, or None when it does not run."""
        path = f"containers/{name}/stats?stream=false&one-shot=true"
        try:
            found = await self._ask("GET", path)
        except RuntimeRefused:
            return None
        # The engine says nothing at all of a container that ends at this very moment.
        memory = found["memory_stats"] if found else {}
        if "usage" not in memory:
            return None
        # What the kernel can take back at any time is the files' cache, not the program's.
        cache = memory["stats"].get("total_inactive_file", memory["stats"].get("inactive_file", 0))
        return Usage(found["cpu_stats"]["cpu_usage"]["total_usage"] / 1e9, memory["usage"] - cache)

    async def events(self, labels: Mapping[str, str]) -> AsyncIterator[Event]:
        """Tell what happens to containers that carry all of `labels`, from now on."""
        filters = _filters(labels, type=["container"], event=["start", "die"])
        rest = b""
        async for chunk in self._stream("events", {"filters": filters}):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                said = msgspec.json.decode(line)
                attributes = said["Actor"]["Attributes"]
                yield Event(said["Action"], attributes["name"], attributes)

    async def follow(self, name: str, since: str) -> AsyncIterator[list[OutputLine]]:
        """Read what the container wrote from the stamp `since` on (or all), until it ends."""
        params = {"stdout": "1", "stderr": "1", "timestamps": "1", "follow": "1"}
        if since:
            params["since"] = _seconds(since)
        output = Output()
        async for chunk in self._stream(f"containers/{name}/logs", params):
            yield output.lines(chunk)
        yield output.rest()

    async def output(self, name: str, tail: int | None = None) -> list[OutputLine]:
        """Read the last `tail` lines that the container wrote, of both its streams."""
        params = {"stdout": "1", "stderr": "1", "timestamps": "1", "tail": str(tail or "all")}
        path = f"containers/{name}/logs"
        async with (
            self._translated(),
            asyncio.timeout(_CALL),
            self._api()._query(path, params=params) as answer,
        ):
            output = Output()
            return output.lines(await answer.read()) + output.rest()

    async def execute(self, name: str, command: str, timeout: int) -> tuple[int | None, str]:
        """Run a command in a container that runs (see `Runtime`)."""
        return await Execution(name, self._ask, self._stream).run(command, timeout)

    def open_exec(
        self, name: str, command: str, size: Size | None
    ) -> AbstractAsyncContextManager[Session]:
        """Run a command in a container that runs, with its input open (see `Runtime`)."""
        return command_session(self._engine(), name, command, size)

    def open_container(self, name: str, size: Size | None) -> AbstractAsyncContextManager[Session]:
        """Start a container with its input open (see `Runtime`)."""
        return container_session(self._engine(), name, size)

    def _engine(self) -> Engine:
        return Engine(self._host, self._ask, self._translated)

    async def image(self, reference: str) -> ImageInfo | None:
        """Describe an image, or None when the engine does not hold it."""
        found = await self._find(f"images/{reference}/json")
        if found is None:
            return None
        config = found["Config"]
        exposed = (one.partition("/") for one in config.get("ExposedPorts") or {})
        ports = sorted(int(port) for port, _, kind in exposed if kind in ("", "tcp"))
        return ImageInfo(found["Id"], found["Size"], config.get("Labels") or {}, ports)

    async def pull(self, name: str, version: str, say: Callable[[str], None]) -> None:
        """Fetch an image from its registry (see `Runtime`)."""
        params, rest = {"fromImage": name, "tag": version}, b""
        async for chunk in self._stream("images/create", params, method="POST"):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in filter(bytes.strip, lines):
                said = msgspec.json.decode(line)
                if "error" in said:
                    raise RuntimeRefused(said["error"])
                # The rest is a bar that moves.
                if not said.get("progressDetail") and said.get("status") not in _PROGRESS:
                    say(": ".join(said[one] for one in ("id", "status") if said.get(one)))

    async def tag(self, reference: str, name: str) -> None:
        """Give an image another name (see `Runtime`)."""
        repository, _, tag = name.rpartition(":")
        await self._ask("POST", f"images/{reference}/tag", repo=repository, tag=tag)

    async def named(self, prefix: str) -> list[str]:
        """List the references that begin with `prefix` (see `Runtime`)."""
        filters = msgspec.json.encode({"reference": [f"{prefix}*"]}).decode()
        found = await self._ask("GET", "images/json", filters=filters)
        names = (reference for image in found for reference in image["RepoTags"] or ())
        return [reference for reference in names if reference.startswith(prefix)]

    async def remove_image(self, reference: str) -> None:
        """Remove an image; one that is not there, or is in use, is no error."""
        await self._gone("DELETE", f"images/{reference}")

    async def images(self, labels: Mapping[str, str]) -> list[str]:
        """List the references of the images that carry all of `labels`."""
        found = await self._ask("GET", "images/json", filters=_filters(labels))
        return [reference for image in found for reference in image["RepoTags"] or ()]

    async def save(self, references: Sequence[str], path: Path) -> None:
        """Write images, with these names of theirs, to a file."""
        names = urlencode([("names", one) for one in references])
        with path.open("wb") as file:
            async for chunk in self._stream(f"images/get?{names}", {}):
                await asyncio.to_thread(file.write, chunk)

    async def load(self, path: Path) -> None:
        """Hold the images of a file that `save` wrote."""
        headers, said = {"Content-Type": "application/x-tar"}, b""
        with path.open("rb") as file:
            async with (
                self._translated(),
                self._api()._query(
                    "images/load", method="POST", data=file, headers=headers, timeout=None
                ) as answer,
            ):
                said = await answer.read()
        if b'"errorDetail"' in said:
            raise RuntimeRefused(said.decode(errors="replace")[-_LAST_WORDS:].strip())

    async def remove_unnamed_images(self, labels: Mapping[str, str], age: int) -> None:
        """Remove what carries `labels`, is older than `age`, and is not named (see `Runtime`)."""
        filters = _filters(labels, dangling=["true"], until=[f"{age}s"])
        await self._ask("POST", "images/prune", wait=_PRUNING, filters=filters)

    async def prune_build_cache(self, keep: int) -> int:
        """Remove what was used longest ago until `keep` bytes are left (see `Runtime`)."""
        # The same limit under its two names: from version 1.48 of the engine's API it is the other.
        limits = {"keep-storage": str(keep), "reserved-space": str(keep)}
        found = await self._ask("POST", "build/prune", wait=_PRUNING, **limits)
        return int(found["SpaceReclaimed"])

    async def aclose(self) -> None:
        """Close what was opened to reach the engine; the containers go on."""
        if self._docker is not None:
            await self._docker.close()
            await self._docker.connector.close()
            self._docker = None

    def _api(self) -> aiodocker.Docker:
        if self._docker is None:
            if self._host.startswith("unix://"):
                # Following the output of a container holds a connection: there may be many.
                socket = aiohttp.UnixConnector(self._host.removeprefix("unix://"), limit=0)
                self._docker = aiodocker.Docker(url="unix://localhost", connector=socket)
            elif self._host.startswith(SCHEMES):
                self._docker = aiodocker.Docker(url=self._host)
            else:
                raise RuntimeUnavailable(
                    f"'{self._host}' is no address of an engine: set DOCKER_HOST to "
                    "unix:///var/run/docker.sock, or to tcp://host:port"
                )
        return self._docker

    async def _stream(
        self, path: str, params: dict[str, str], *, method: str = "GET", body: Any = None
    ) -> AsyncIterator[bytes]:
        data, headers = _encoded(body)
        async with (
            self._translated(),
            self._api()._query(
                path, method=method, params=params, data=data, headers=headers, timeout=None
            ) as answer,
            answer,
        ):
            async for chunk in answer.content.iter_any():
                yield chunk

    async def _ask(
        self, method: str, path: str, body: Any = None, *, wait: float = _CALL, **params: str
    ) -> Any:
        data, headers = _encoded(body)
        async with (
            self._translated(),
            asyncio.timeout(wait),
            self._api()._query(
                path, method=method, params=params, data=data, headers=headers
            ) as answer,
        ):
            text = await answer.read()
        is_json = "json" in answer.headers.get("Content-Type", "")
        return msgspec.json.decode(text) if text and is_json else None

    async def _find(self, path: str) -> Any:
        try:
            return await self._ask("GET", path)
        except RuntimeRefused as error:
            if isinstance(error.__cause__, DockerError) and error.__cause__.status == 404:
                return None
            raise

    async def _gone(self, method: str, path: str, *, wait: float = _CALL, **params: str) -> None:
        try:
            await self._ask(method, path, wait=wait, **params)
        except RuntimeRefused as error:
            # 404: it is gone; 409: somebody else is at it, or still uses it.
            cause = error.__cause__
            if not (isinstance(cause, DockerError) and cause.status in {304, 404, 409}):
                raise

    @asynccontextmanager
    async def _translated(self) -> AsyncIterator[None]:
        try:
            yield
        except DockerError as error:
            if error.status == 900:
                raise RuntimeUnavailable(f"the engine at {self._host} does not answer") from error
            raise RuntimeRefused(str(error.message)) from error
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise RuntimeUnavailable(f"the engine at {self._host} does not answer") from error


def _encoded(body: Any) -> tuple[bytes | None, dict[str, str] | None]:
    if body is None:
        return None, None
    return msgspec.json.encode(body), {"Content-Type": "application/json"}


def _filters(labels: Mapping[str, str], **others: list[str]) -> str:
    wanted = [f"{name}={value}" for name, value in labels.items()]
    return msgspec.json.encode({"label": wanted, **others}).decode()


def _body(spec: ContainerSpec, address: str) -> dict[str, Any]:
    command, terminal = spec.command, spec.stdin == "terminal"
    if isinstance(command, str):
        command = ["/bin/sh", "-c", f"{SIZED if terminal else ''}{command}"]
    endpoint = {"IPAMConfig": {"IPv4Address": address}}
    return {
        "Image": spec.image,
        "Env": [f"{name}={value}" for name, value in spec.environment.items()],
        "Labels": {**spec.labels, _NETWORK: spec.network, _ADDRESS: address},
        "StopTimeout": spec.stop_timeout,
        "HostConfig": {
            "NetworkMode": spec.network,
            "SecurityOpt": ["no-new-privileges"],
            "CapDrop": ["ALL"],
            "CapAdd": _CAPABILITIES,
            "CpuShares": _STARTING,
            "NanoCpus": int(spec.limits.cpus * 1e9),
            "Memory": spec.limits.memory,
            "MemorySwap": spec.limits.memory,
            "PidsLimit": spec.limits.pids,
            "LogConfig": _BOUNDED_LOG,
            "RestartPolicy": {"Name": "no"},
        },
        "NetworkingConfig": {"EndpointsConfig": {spec.network: endpoint}},
        **({"Cmd": list(command)} if command else {}),
        **(_ATTACHED if spec.stdin != "none" else {}),
        "Tty": terminal,
    }


def _state(found: dict[str, Any]) -> ContainerState:
    state = found["State"]
    networks = found["NetworkSettings"]["Networks"].values()
    address = next((network["IPAddress"] for network in networks if network["IPAddress"]), None)
    return ContainerState(
        name=found["Name"].removeprefix("/"),
        state=_STATES.get(state["Status"], "running"),  # type: ignore[arg-type]
        image=found["Config"]["Image"],
        labels=found["Config"]["Labels"] or {},
        address=address,
        exit_code=state["ExitCode"],
        out_of_memory=state["OOMKilled"],
        restarts=found["RestartCount"],
        started=_moment(state["StartedAt"]),
        finished=_moment(state["FinishedAt"]),
        error=state["Error"],
    )


def _moment(stamp: str) -> datetime | None:
    if stamp.startswith("0001-"):
        return None
    # The engine counts nanoseconds, Python microseconds.
    return datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", stamp))


def _seconds(stamp: str) -> str:
    """Turn a stamp into seconds since 1970, with all of its nanoseconds."""
    whole, _, fraction = stamp.rstrip("Z").partition(".")
    return f"{datetime.fromisoformat(f'{whole}+00:00').timestamp():.0f}.{fraction or 0}"
