"""Building images with BuildKit, through the engine's own command line."""

import os
import shutil
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path

from barque.builders.port import BuilderUnavailable, BuildFailed, BuildSpec
from barque.subprocesses import run_program

_UNREACHABLE = ("Cannot connect to the Docker daemon", "error during connect", "dial unix")
# Set for the client itself: a variable of such a name would change how it works.
_RESERVED = ("PATH", "HOME", "DOCKER_", "BUILDKIT_", "BUILDX_", "LD_")
_LAST_WORDS = 2000


class BuildKitBuilder:
    """Builds into the engine at `host`; `scratch` is a private folder of its own."""

    def __init__(self, host: str, scratch: Path) -> None:
        self._host = host
        self._scratch = scratch

    async def build(self, spec: BuildSpec, say: Callable[[str], None]) -> None:
        """Build an image (see `Builder.build`)."""
        dockerfile = spec.written or _inside(spec.context, spec.dockerfile)
        environment = self._environment()
        arguments = [find_client(), "build", "--progress=plain", "-t", spec.tag]
        arguments += ["-f", str(dockerfile)]
        for name, value in spec.labels.items():
            arguments += ["--label", f"{name}={value}"]
        for name, value in spec.arguments.items():
            if name.startswith(_RESERVED):
                say(f"config variable {name} is not offered to the build: its name is the client's")
                continue
            environment[name] = value
            arguments += ["--build-arg", name]
        for index, (name, value) in enumerate(spec.secrets.items()):
            environment[f"BARQUE_SECRET_{index}"] = value
            arguments += ["--secret", f"id={name},env=BARQUE_SECRET_{index}"]
        for name, path in spec.secret_files.items():
            arguments += ["--secret", f"id={name},src={path}"]
        lines: list[str] = []

        def hear(line: str) -> None:
            lines[:-40] = []
            lines.append(line)
            say(line)

        code = await run_program([*arguments, str(spec.context)], environment, hear)
        if code != 0:
            _fail(lines, code)

    def _environment(self) -> dict[str, str]:
        settings = self._scratch / "docker"
        settings.mkdir(parents=True, exist_ok=True, mode=0o700)
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(settings),
            "DOCKER_CONFIG": str(settings),
            "DOCKER_HOST": self._host,
            "DOCKER_BUILDKIT": "1",
        }


def _inside(context: Path, dockerfile: str) -> Path:
    path = context / dockerfile
    if not path.resolve().is_relative_to(context.resolve()):
        raise BuildFailed(f"{dockerfile} leads out of the repository: put the file itself there")
    if not path.is_file():
        raise BuildFailed(f"the repository has no {dockerfile}: add it, or change the service's")
    return path


def _fail(lines: list[str], code: int) -> None:
    text = "\n".join(lines)
    if any(sign in text for sign in _UNREACHABLE):
        raise BuilderUnavailable("the engine does not answer: start it, then build again")
    if "no space left on device" in text.lower():
        raise BuildFailed("the disk is full: free some space, then build again")
    errors = [line for line in lines if line.lower().startswith(("error", "failed"))]
    raise BuildFailed((errors or lines or [f"the builder ended with {code}"])[-1][-_LAST_WORDS:])


@cache
def find_client() -> str:
    """Find a client that can build: an older one has BuildKit in it, a newer one a plug-in.

    Raises `BuilderUnavailable`.
    """
    for path in (shutil.which("docker"), "/usr/bin/docker"):
        if path is None or not Path(path).exists():
            continue
        said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
        old = said.stdout.startswith("Docker version 20.")
        if old or not subprocess.run([path, "buildx"], capture_output=True, check=False).returncode:
            return path
    raise BuilderUnavailable("no client that can build: install docker.io, or docker-buildx")
