"""The Docker Engine, over its HTTP API."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import aiodocker
import aiohttp
import msgspec
from aiodocker.exceptions import DockerError

from barque.runtimes.port import (
    AddressTaken,
    ContainerSpec,
    ContainerState,
    ImageInfo,
    ImageMissing,
    OutputLine,
    RuntimeRefused,
    RuntimeUnavailable,
)
from barque.runtimes.subnets import POOL, free_subnets, routed_subnets

# What an image's entry point may need to set up its files and change user, and nothing more.
_CAPABILITIES = [
    "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "NET_BIND_SERVICE", "SETGID", "SETUID",
]  # fmt: skip
_BOUNDED_LOG = {"Type": "json-file", "Config": {"max-size": "10m", "max-file": "2"}}
_STATES = {"created": "created", "restarting": "restarting", "exited": "exited", "dead": "exited"}
_FRAME = 8
_CALL = 60


class DockerRuntime:
    """An engine at `host` (`unix://...` or `tcp://...`). It connects at the first call."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._docker: aiodocker.Docker | None = None

    async def ping(self) -> None:
        """Return if the engine answers."""
        await self._ask("GET", "version")

    async def ensure_network(self, name: str, labels: Mapping[str, str]) -> None:
        """Make the network unless it is there."""
        if await self._find(f"networks/{name}") is not None:
            return
        body: dict[str, Any] = {"Name": name, "CheckDuplicate": True, "Labels": dict(labels)}
        for subnet in free_subnets(name, await asyncio.to_thread(routed_subnets)):
            body["IPAM"] = {"Config": [{"Subnet": str(subnet)}]}
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

    async def create(self, spec: ContainerSpec) -> None:
        """Make the container unless one of its name is there. Raises `ImageMissing`."""
        try:
            await self._ask("POST", "containers/create", _body(spec), name=spec.name)
        except RuntimeRefused as error:
            if "No such image" in str(error):
                raise ImageMissing(
                    f"the engine no longer holds the image {spec.image}: build it again"
                ) from None
            if "already in use" not in str(error):
                raise

    async def start(self, name: str) -> None:
        """Start the container unless it runs. Raises `AddressTaken`."""
        try:
            await self._ask("POST", f"containers/{name}/start")
        except RuntimeRefused as error:
            if "Address already in use" in str(error):
                raise AddressTaken(str(error)) from None
            raise

    async def keep_running(self, name: str, keep: bool) -> None:
        """Have the engine itself restart the container when it ends, with back-off, or not."""
        policy = {"RestartPolicy": {"Name": "always" if keep else "no"}}
        await self._ask("POST", f"containers/{name}/update", policy)

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

    async def names(self, labels: Mapping[str, str]) -> list[str]:
        """List the names of the containers that carry all of `labels`, running or not."""
        wanted = {"label": [f"{name}={value}" for name, value in labels.items()]}
        filters = msgspec.json.encode(wanted).decode()
        found = await self._ask("GET", "containers/json", all="true", filters=filters)
        return [container["Names"][0].removeprefix("/") for container in found]

    async def output(self, name: str, tail: int | None = None) -> list[OutputLine]:
        """Read the last `tail` lines that the container wrote, of both its streams."""
        params = {"stdout": "1", "stderr": "1", "timestamps": "1", "tail": str(tail or "all")}
        path = f"containers/{name}/logs"
        async with (
            self._translated(),
            asyncio.timeout(_CALL),
            self._api()._query(path, params=params) as answer,
        ):
            return _lines(await answer.read())

    async def image(self, reference: str) -> ImageInfo | None:
        """Describe an image, or None when the engine does not hold it."""
        found = await self._find(f"images/{reference}/json")
        if found is None:
            return None
        return ImageInfo(found["Id"], found["Size"], found["Config"].get("Labels") or {})

    async def remove_image(self, reference: str) -> None:
        """Remove an image; one that is not there, or is in use, is no error."""
        await self._gone("DELETE", f"images/{reference}")

    async def aclose(self) -> None:
        """Close what was opened to reach the engine; the containers go on."""
        if self._docker is not None:
            await self._docker.close()
            self._docker = None

    def _api(self) -> aiodocker.Docker:
        if self._docker is None:
            self._docker = aiodocker.Docker(url=self._host)
        return self._docker

    async def _ask(
        self, method: str, path: str, body: Any = None, *, wait: float = _CALL, **params: str
    ) -> Any:
        data = msgspec.json.encode(body) if body is not None else None
        headers = {"Content-Type": "application/json"} if data is not None else None
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


def _body(spec: ContainerSpec) -> dict[str, Any]:
    command = ["/bin/sh", "-c", spec.command] if isinstance(spec.command, str) else spec.command
    endpoint = {"IPAMConfig": {"IPv4Address": spec.address}} if spec.address else {}
    return {
        "Image": spec.image,
        "Env": [f"{name}={value}" for name, value in spec.environment.items()],
        "Labels": dict(spec.labels),
        "StopTimeout": spec.stop_timeout,
        "HostConfig": {
            "NetworkMode": spec.network,
            "SecurityOpt": ["no-new-privileges"],
            "CapDrop": ["ALL"],
            "CapAdd": _CAPABILITIES,
            "NanoCpus": int(spec.limits.cpus * 1e9),
            "Memory": spec.limits.memory,
            "MemorySwap": spec.limits.memory,
            "PidsLimit": spec.limits.pids,
            "LogConfig": _BOUNDED_LOG,
            "RestartPolicy": {"Name": "no"},
        },
        "NetworkingConfig": {"EndpointsConfig": {spec.network: endpoint}},
        **({"Cmd": list(command)} if command else {}),
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


def _lines(raw: bytes) -> list[OutputLine]:
    found = []
    while len(raw) >= _FRAME:
        size = int.from_bytes(raw[4:_FRAME], "big")
        kind, text, raw = raw[0], raw[_FRAME : _FRAME + size], raw[_FRAME + size :]
        for line in text.decode(errors="replace").splitlines():
            at, _, said = line.partition(" ")
            found.append(OutputLine(at, "stderr" if kind == 2 else "stdout", said))
    return found
