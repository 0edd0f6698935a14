"""Images that were built elsewhere: fetched, pinned under a name of the platform's own."""

from collections.abc import Callable, Mapping
from typing import Any

from barque.builders.port import BuilderUnavailable, BuildFailed
from barque.images.models import Image
from barque.images.references import ImageName, parse
from barque.plans.procfile import is_process_type
from barque.runtimes.port import ImageInfo, Runtime, RuntimeRefused, RuntimeUnavailable

# An image may say which processes it runs, as a Procfile does: `barque.process.worker=...`.
_PROCESS = "barque.process."
_PORT = "barque.port"
# What an engine says of a registry, and what to do about it.
_ADVICE = (
    (("no matching manifest", "no match for platform"),
     "it is not made for this machine's processor: name one that is"),
    (("manifest unknown", "not found: manifest", "manifest for"),
     "its registry has no such image or tag: look for a mistake in image_reference"),
    (("access denied", "unauthorized", "denied", "authentication required", "credentials"),
     "it is not there, or not for everybody: check the name, or have the operator pull it on the "
     "engine"),
    (("toomanyrequests", "rate limit"), "its registry allows no more just now: build again later"),
    (("no such host", "connection refused", "timeout", "dial tcp", "x509", "tls", "eof"),
     "its registry cannot be reached: check the name, or build again when it is back"),
)  # fmt: skip


def own_name(platform_id: str, service_id: str, version: int) -> str:
    """Return what such an image is called once a service has it; its other names are not ours."""
    return f"{own_names(platform_id)}{service_id}:{version}"


def own_names(platform_id: str) -> str:
    """Return what the names that a platform gave begin with."""
    return f"barque/{platform_id}/"


async def adopt(runtime: Runtime, image: Image, say: Callable[[str], None]) -> dict[str, Any]:
    """Fetch what an image refers to, name it, and return what is stored of it.

    Raises `BuildFailed` and `BuilderUnavailable`.
    """
    name = parse(image.image_reference or "")
    try:
        found = await _fetch(runtime, name, say)
        # By its id: the name may mean another by now.
        await runtime.tag(found.digest, image.reference)
    except RuntimeUnavailable as error:
        raise BuilderUnavailable(f"{error}: start it, then build again") from None
    except RuntimeRefused as error:
        raise BuildFailed(f"the engine would not keep {name}: {error}") from None
    say(f"{name} is {found.digest}")
    return {
        "processes": processes_of(found.labels), "port": port_of(found),
        "image_digest": found.digest, "size_bytes": found.size_bytes,
    }  # fmt: skip


def processes_of(labels: Mapping[str, str]) -> dict[str, str]:
    """Return the processes that an image's labels name, or `web` with its own command."""
    named = {
        label.removeprefix(_PROCESS): command.strip()
        for label, command in labels.items()
        if label.startswith(_PROCESS)
    }
    fit = {kind: command for kind, command in named.items() if is_process_type(kind) and command}
    return fit or {"web": ""}


def port_of(image: ImageInfo) -> int | None:
    """Return where an image's `web` listens: as its label says, or the one port that it exposes.

    Whoever made it need not have heard of `PORT`; None leaves that to the platform.
    """
    said = image.labels.get(_PORT, "")
    if said.isascii() and said.isdigit() and 0 < int(said[:6]) < 65536:
        return int(said)
    return image.ports[0] if len(image.ports) == 1 else None


async def _fetch(runtime: Runtime, name: ImageName, say: Callable[[str], None]) -> ImageInfo:
    """Fetch an image, or take the one that the engine has where it cannot be fetched."""
    refusal = ""
    # Whoever has such a name in a registry is somebody else.
    if not name.local:
        say(f"fetching {name}")
        try:
            await runtime.pull(name.name, name.version, say)
        except RuntimeRefused as error:
            refusal = str(error)
    found = await runtime.image(str(name))
    if found is None:
        raise BuildFailed(complaint(name, refusal))
    if refusal:
        say(f"it cannot be fetched ({refusal}): the one that the engine has is used")
    return found


def complaint(name: ImageName, said: str) -> str:
    """Say why there is no such image, and what to do."""
    if name.local:
        return f"{name} is not on the engine: make it with 'barque base-images build'"
    lower = said.lower()
    advice = next((advice for signs, advice in _ADVICE if any(s in lower for s in signs)), "")
    return f"{name} cannot be fetched: {advice or 'the engine refuses it'} ({said})"
