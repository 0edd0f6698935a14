"""The containers of a release: what they are given, whether they are fit, and their end."""

import asyncio
import contextlib
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING

import httpx
import structlog
from sqlalchemy.exc import NoResultFound

from barque.config.masking import Masker
from barque.logs.collector import Writer
from barque.releases.models import Release
from barque.releases.service import thaw
from barque.routing.port import Server
from barque.runtimes.port import ContainerSpec, ContainerState, Limits, RuntimeRefused
from barque.services.place import Place, place_of
from barque.settings import MEBIBYTE

if TYPE_CHECKING:
    from barque.platform import Platform

log = structlog.get_logger()

PORT = 8000
POLL = 0.05
_PROBE = 5.0
_LAST_LINES = 20
_KILLED = 128 + 9
# One-off commands have no deployment: what they write is their answer, and no log.
_OF_A_RELEASE = {
    "barque.deployment_id", "barque.release_id", "barque.process", "barque.index",
}  # fmt: skip


class Unfit(Exception):
    """A container is not fit to serve; the message says what happened, with its last words."""


def upstream_of(deployment_id: str) -> str:
    """Return the name of a deployment's upstream, with which its containers' names begin."""
    return f"barque-{deployment_id}"


def network_of(env_id: str) -> str:
    """Return the name of an environment's network."""
    return f"barque-{env_id}"


def is_web(name: str) -> bool:
    """Tell whether the container of this name answers HTTP; every other is a worker."""
    return ".web-" in name


class Instances:
    """Makes, checks and ends the containers of releases."""

    def __init__(self, platform: "Platform") -> None:
        self._platform = platform
        self._probed: dict[str, str] = {}
        # One for all: each client reads every certificate of the machine, to speak plain HTTP.
        self._client = httpx.AsyncClient(
            timeout=_PROBE, trust_env=False, limits=httpx.Limits(max_keepalive_connections=0)
        )

    def wanted(self, deployment_id: str, release: Release, place: Place) -> list[ContainerSpec]:
        """Describe every container that a deployment is to have, by the counts of its service."""
        return [
            self.spec(f"{upstream_of(deployment_id)}.{kind}-{index}", release, place, kind, index,
                      {"barque.deployment_id": deployment_id})
            for kind, count in counts_of(release.processes, place.svc.process_counts).items()
            for index in range(count)
        ]  # fmt: skip

    def spec(
        self, name: str, release: Release, place: Place, kind: str, index: int,
        labels: dict[str, str], command: str | None = None,
    ) -> ContainerSpec:  # fmt: skip
        """Describe one container (contract: "What a service's container gets")."""
        settings = self._platform.settings
        binding = settings.platform(release.platform)
        environment = {
            **thaw(self._platform, place, release),
            "BARQUE_ORG": place.org.slug, "BARQUE_PROJECT": place.project.slug,
            "BARQUE_ENV": place.env.slug, "BARQUE_SERVICE": place.svc.slug,
            "BARQUE_PROCESS": kind, "BARQUE_RELEASE": str(release.version),
            "BARQUE_COMMIT": release.commit_sha or "",
            **({"PORT": str(release.port or PORT)} if kind == "web" else {}),
        }  # fmt: skip
        own = {
            "barque.platform": self._platform.id, "barque.service_id": place.svc.id,
            "barque.release_id": release.id, "barque.process": kind, "barque.index": str(index),
            "barque.port": str(release.port or PORT),
        }  # fmt: skip
        return ContainerSpec(
            name=name, image=release.image_reference, network=network_of(place.env.id),
            command=command or release.processes.get(kind) or None, environment=environment,
            labels={**own, **labels}, stop_timeout=settings.stop_timeout,
            limits=Limits(binding.cpus, binding.memory_mb * MEBIBYTE, binding.pids),
        )  # fmt: skip

    async def prepare(self, place: Place) -> None:
        """See that the environment's network is there."""
        labels = {"barque.platform": self._platform.id, "barque.env_id": place.env.id}
        await self._platform.runtime.ensure_network(network_of(place.env.id), labels)

    async def leave(self, network: str) -> None:
        """Remove a network, or say why the engine keeps it: the sweep tries again."""
        try:
            await self._platform.runtime.remove_network(network)
        except RuntimeRefused as error:
            log.warning("a network stays for now", network=network, reason=str(error))

    async def launch(
        self, specs: Collection[ContainerSpec], release: Release, place: Place
    ) -> None:
        """Make and start containers, and keep what they write."""
        await asyncio.gather(*(self._launch(spec, release, place) for spec in specs))

    async def _launch(self, spec: ContainerSpec, release: Release, place: Place) -> None:
        await self._platform.runtime.create(spec)
        await self._platform.runtime.start(spec.name)
        self.watch(spec.name, spec.labels, release, place)

    def watch(self, name: str, labels: Mapping[str, str], release: Release, place: Place) -> None:
        """Keep what a container writes, unless that is done already."""
        if not self._platform.collector.watches(name):
            process, index = labels["barque.process"], int(labels["barque.index"])
            masker = self.masker(release, place)
            self._platform.collector.watch(Writer(name, place.svc.id, process, index, masker))

    async def healthy(self, name: str, release: Release, place: Place) -> None:
        """Wait until a container is fit to serve. Raises `Unfit` if it ends.

        One that answers no HTTP is fit when it has run for `readiness_delay`.
        """
        settled = asyncio.get_running_loop().time() + self._platform.settings.readiness_delay
        while True:
            state = await self._platform.runtime.inspect(name)
            if state is None or state.state != "running":
                said = await self.last_words(name, release, place)
                raise Unfit(f"{name} ended: {_end_of(state)}{said}")
            if is_web(name):
                complaint = await _probe(self._client, state.address, release)
                if complaint is None:
                    self._probed.pop(name, None)
                    return
                self._probed[name] = complaint
            elif asyncio.get_running_loop().time() >= settled:
                return
            await asyncio.sleep(POLL)

    async def probe(self, address: str | None, release: Release) -> str | None:
        """Ask an instance for health, once. Returns None when all is well, or what it did."""
        return await _probe(self._client, address, release)

    async def all_healthy(self, names: Iterable[str], release: Release, place: Place) -> None:
        """Wait until all are fit to serve. Raises `Unfit` as soon as one of them ends."""
        try:
            async with asyncio.TaskGroup() as group:
                for name in names:
                    group.create_task(self.healthy(name, release, place))
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None

    async def unanswered(self, names: Iterable[str], release: Release, place: Place) -> Unfit:
        """Say that the time to become healthy is over, and what the last answer was."""
        names = list(names)
        probed = {self._probed.pop(name) for name in names if name in self._probed}
        last = f" (it {', '.join(sorted(probed))})" if probed else ""
        said = "".join([await self.last_words(name, release, place) for name in sorted(names)])
        return Unfit(
            f"{release.health_check_path} did not answer 2xx or 3xx within "
            f"{place.svc.deployment_timeout} s{last}: check health_check_path, and that web "
            f"listens on $PORT{said}"
        )

    async def last_words(self, name: str, release: Release, place: Place) -> str:
        """Return the last lines that a container wrote, each on a line of its own."""
        try:
            lines = await self._platform.runtime.output(name, tail=_LAST_LINES)
        except RuntimeRefused:
            return ""
        return self.masker(release, place).mask("".join(f"\n{line.text}" for line in lines))

    def masker(self, release: Release, place: Place) -> Masker:
        """Return what blots out the secrets of a release."""
        secret = {one["name"] for one in release.config_snapshot if one["secret"]}
        values = thaw(self._platform, place, release)
        return Masker(values[name] for name in secret)

    async def servers(self, deployment_id: str) -> list[Server]:
        """List a deployment's web instances, as the router is to know them."""
        runtime = self._platform.runtime
        labels = {"barque.deployment_id": deployment_id, "barque.process": "web"}
        found = await runtime.containers(labels)
        states = {name: await runtime.inspect(name) for name in sorted(found)}
        return [
            Server(
                name.rpartition(".")[2], found[name]["barque.address"],
                # One that was made before there was a choice says nothing of it.
                int(found[name].get("barque.port", PORT)), enabled=state.state == "running",
            )
            for name, state in states.items()
            if state is not None
        ]  # fmt: skip

    async def retire(self, names: Iterable[str], timeout: int | None = None) -> None:
        """Stop containers, store their last words, and remove them."""
        wait = self._platform.settings.stop_timeout if timeout is None else timeout
        await asyncio.gather(*(self._retire(name, wait) for name in names))

    async def stop(self, names: Iterable[str]) -> None:
        """Stop containers that may be started again: nothing but the supervisor will do so."""
        for name in names:
            await self._platform.runtime.keep_running(name, False)
        timeout = self._platform.settings.stop_timeout
        await asyncio.gather(*(self._platform.runtime.stop(name, timeout) for name in names))

    async def _retire(self, name: str, timeout: int) -> None:
        await self._watch_before_end(name)
        await self._platform.runtime.stop(name, timeout)
        await self._platform.collector.finish(name)
        await self._platform.runtime.remove(name)
        # Last, or a container that outlives the platform here would be read twice.
        await self._platform.collector.forget(name)

    async def _watch_before_end(self, name: str) -> None:
        """Keep also what a container writes that the process before this one had made."""
        if self._platform.collector.watches(name):
            return
        state = await self._platform.runtime.inspect(name)
        if state is None or not state.labels.keys() >= _OF_A_RELEASE:
            return
        # What is written in the name of a service that was deleted, nobody may read.
        with contextlib.suppress(NoResultFound):
            async with self._platform.database.read() as session:
                release = await session.get_one(Release, state.labels["barque.release_id"])
                place = await place_of(session, release.service_id)
            self.watch(name, state.labels, release, place)

    async def of_deployment(self, deployment_id: str) -> list[str]:
        """List the names of a deployment's containers."""
        found = await self._platform.runtime.containers({"barque.deployment_id": deployment_id})
        return sorted(found)


def _end_of(state: ContainerState | None) -> str:
    """Say how a container ended. Of lack of memory, the engine may hear too late to tell."""
    if state is None:
        return "it was removed"
    if state.out_of_memory:
        return f"out of memory, exit code {state.exit_code}"
    killed = " (it was killed, as one is that runs out of memory)"
    return f"exit code {state.exit_code}{killed if state.exit_code == _KILLED else ''}"


def counts_of(processes: Iterable[str], counts: Mapping[str, int]) -> dict[str, int]:
    """Say how many instances each process type of a release is to have."""
    return {
        kind: counts.get(kind, 1 if kind == "web" else 0) for kind in processes if kind != "release"
    }


async def _probe(client: httpx.AsyncClient, address: str | None, release: Release) -> str | None:
    """Ask for health once. Returns None when all is well, or what happened."""
    try:
        answer = await client.get(
            f"http://{address}:{release.port or PORT}{release.health_check_path}"
        )
    except httpx.TimeoutException:
        return f"gave no answer within {_PROBE:.0f} s"
    except httpx.HTTPError:
        return "took no connection"
    return None if 200 <= answer.status_code < 400 else f"answered {answer.status_code}"
