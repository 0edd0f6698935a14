"""The engine, and what is on it."""

from collections import Counter

from sqlalchemy import select

from barque.bases.making import BaseImages
from barque.builders.buildkit import BuildKitBuilder
from barque.deployments.models import Deployment
from barque.doctor.check import Check, Seen, Site, ok, problem, warning
from barque.doctor.keys import vault_of
from barque.processes.instances import network_of
from barque.projects.models import Environment
from barque.releases.models import Release
from barque.runtimes.docker import SCHEMES
from barque.runtimes.port import RuntimeUnavailable
from barque.services.place import place_of
from barque.store.unavailable import StoreUnavailable

# Docker 20.10, whose build cache is pruned to a size.
_API = (1, 41)


async def _address(site: Site) -> Seen:
    host = site.engine_host
    if not host.startswith(SCHEMES):
        return problem(
            f"DOCKER_HOST is '{host}', which is no address that Barque can use",
            "set DOCKER_HOST to unix:///var/run/docker.sock, or to tcp://host:port",
        )
    return ok(f"the engine is at {host}")


async def _answers(site: Site) -> Seen:
    try:
        about = await site.engine.about()
    except RuntimeUnavailable as error:
        return problem(
            str(error), "start it with 'systemctl start docker', or set DOCKER_HOST to where it is"
        )
    if tuple(map(int, about.api.split("."))) < _API:
        return problem(
            f"the engine {about.version} is too old: Docker 20.10 or later is needed",
            "apt-get install docker.io",
        )
    return ok(f"the engine {about.version} answers")


async def _base_images(site: Site) -> Seen | None:
    builder = BuildKitBuilder(site.engine_host, site.settings.data_dir / "builder")
    try:
        missing = await BaseImages(site.settings, site.engine, builder).lacking()
    except RuntimeUnavailable:
        return None
    if missing:
        return warning(
            f"base images are missing: {', '.join(missing)}: repositories without a Dockerfile "
            "that need one cannot be built",
            "barque base-images build",
        )
    return ok("the base images are there")


async def _live_images(site: Site) -> Seen | None:
    """Look for images that what is live runs on: without one, nothing can be started again."""
    if not site.has_database:
        return None
    try:
        async with site.database.read() as session:
            live = select(Release).join(Deployment).where(Deployment.status == "live")
            releases = list(await session.scalars(live))
            gone = [
                (await place_of(session, one.service_id)).path
                for one in releases
                if await site.engine.image(one.image_reference) is None
            ]
    except (RuntimeUnavailable, StoreUnavailable):
        return None
    if gone:
        return problem(
            f"the images of what is live are gone from the engine: {', '.join(sorted(gone))}",
            f"barque build -s {gone[0]} && barque deploy -s {gone[0]}",
        )
    return ok(f"the images of {len(releases)} live releases are there")


async def _networks(site: Site) -> Seen | None:
    vault = vault_of(site)
    if vault is None or not site.has_database:
        return None
    try:
        found = await site.engine.networks({"barque.platform": vault.identity()})
        async with site.database.read() as session:
            wanted = {network_of(one) for one in await session.scalars(select(Environment.id))}
    except (RuntimeUnavailable, StoreUnavailable):
        return None
    if left := sorted(set(found) - wanted):
        return warning(
            f"{len(left)} networks belong to no environment: {', '.join(left[:5])}",
            f"docker network rm {left[0]}  (a platform that runs does that by itself, in seconds)",
        )
    if twice := [name for name, count in Counter(found).items() if count > 1]:
        return warning(
            f"the engine has several networks named {twice[0]}",
            "look which of them is not used, and remove it by its id: docker network ls --quiet "
            f"--no-trunc --filter name=^{twice[0]}$, then docker network rm ID",
        )
    return ok(f"{len(found)} networks, each of an environment")


CHECKS = (
    Check("engine address", _address),
    Check("engine", _answers),
    Check("base images", _base_images),
    Check("images of live releases", _live_images),
    Check("networks", _networks),
)
