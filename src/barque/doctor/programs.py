"""The programs that the platform runs."""

import asyncio
import re
import shutil
from collections.abc import Sequence

from barque.builders.buildkit import find_client
from barque.builders.port import BuilderUnavailable
from barque.doctor.check import Check, Seen, Site, ok, problem, warning

Version = tuple[int, ...]

# Servers that are added with `pool-max-conn`, and `GIT_CONFIG_COUNT`: nothing older has them.
_HAPROXY: Version = (2, 6)
_GIT: Version = (2, 31)
_SAID = 20.0


async def output_of(*command: str) -> str:
    """Return what a program says of itself, on either output; nothing if it is not there."""
    try:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
    except OSError:
        return ""
    try:
        async with asyncio.timeout(_SAID):
            said, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        return ""
    return said.decode(errors="replace")


async def _haproxy(_: Site) -> Seen:
    return await _judge("haproxy", ("haproxy", "-v"), _HAPROXY)


async def _git(_: Site) -> Seen:
    return await _judge("git", ("git", "--version"), _GIT)


async def _judge(name: str, command: Sequence[str], needed: Version) -> Seen:
    said = await output_of(*command)
    found = re.search(r"\d+(\.\d+)+", said)
    least, install = ".".join(map(str, needed)), f"apt-get install {name}"
    if shutil.which(command[0]) is None:
        return problem(f"{name} is not installed", install)
    if found is None:
        return problem(f"{name} does not say its version", install)
    if tuple(map(int, found[0].split("."))) < needed:
        return problem(f"{name} {found[0]} is too old: {least} is needed", install)
    return ok(f"{name} {found[0]}")


async def _backend(_: Site) -> Seen | None:
    folder = (await output_of("git", "--exec-path")).strip()
    if not folder:
        return None
    if shutil.which("git-http-backend", path=folder) is None:
        return problem(
            f"git has no http-backend in {folder}: 'git push' to the platform fails",
            "apt-get install --reinstall git",
        )
    return ok("git http-backend is there")


async def _ssh(_: Site) -> Seen:
    if shutil.which("ssh") is None:
        return warning(
            "ssh is not installed: repositories cannot be fetched with a deploy key",
            "apt-get install openssh-client",
        )
    return ok("ssh is there")


async def _client(_: Site) -> Seen:
    try:
        return ok(f"{await asyncio.to_thread(find_client)} builds with BuildKit")
    except BuilderUnavailable:
        return problem(
            "there is no docker client that builds with BuildKit",
            "apt-get install docker.io, or docker-buildx beside a newer docker",
        )


CHECKS = (
    Check("haproxy", _haproxy),
    Check("git", _git),
    Check("git http-backend", _backend),
    Check("ssh", _ssh),
    Check("build client", _client),
)
