"""The smallest Debian, made from the packages of a mirror."""

import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path

from barque.subprocesses import run_program

_APT = Path("/etc/apt")
_LINE = re.compile(r"^[ \t]*deb[ \t]+(?:\[[^\]]*\][ \t]+)?(\S+)", re.M)
_STANZA = re.compile(r"^URIs:[ \t]*(.+)$", re.M | re.I)
# What Debian's packages explain of themselves, and no program reads.
_LEFT_OUT = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/info/*", "/usr/share/locale/*")
_PACKAGES = ("ca-certificates", "tzdata", "media-types")


class BaseImageError(Exception):
    """A base image could not be made; the message says what to do next."""


def mirrors(wanted: str | None, folder: Path = _APT) -> list[str]:
    """Return the mirrors of Debian and of its security updates, by the machine's own sources.

    `wanted` is taken in place of the first. Raises `BaseImageError` when there is none.
    """
    found = list(_named(folder))
    main = [wanted] if wanted else [uri for uri in found if _is(uri, "debian")]
    if not main:
        raise BaseImageError(
            "this machine has no sources of Debian's packages: set BARQUE_DEBIAN_MIRROR to a mirror"
        )
    return [*main[:1], *[uri for uri in found if _is(uri, "debian-security")][:1]]


def sources(mirror_uris: Iterable[str], suite: str) -> list[str]:
    """Return the lines of a sources.list for a release of Debian and its security updates."""
    return [
        f"deb {uri} {suite}{'-security' if _is(uri, 'debian-security') else ''} main"
        for uri in mirror_uris
    ]


async def make_root(
    suite: str, mirror_uris: Iterable[str], into: Path, say: Callable[[str], None]
) -> None:
    """Write the files of a release of Debian to the tarball `into`. Raises `BaseImageError`."""
    options = [f"--dpkgopt=path-exclude={pattern}" for pattern in _LEFT_OUT]
    command = [
        "mmdebstrap", "--variant=minbase", f"--include={','.join(_PACKAGES)}", *options, suite,
        str(into), *sources(mirror_uris, suite),
    ]  # fmt: skip
    try:
        code = await run_program(command, os.environ, say)
    except FileNotFoundError:
        raise BaseImageError(
            "mmdebstrap is missing: install it and debian-archive-keyring, or name images of a "
            "registry with BARQUE_BASE_IMAGES"
        ) from None
    if code != 0:
        raise BaseImageError(f"mmdebstrap ended with {code}: what it said is above")


def _named(folder: Path) -> Iterable[str]:
    """List the addresses that apt's source files name, as they stand there."""
    for file in sorted((*folder.glob("sources.list.d/*.sources"), *folder.glob("**/*.list"))):
        text = file.read_text(errors="replace")
        if file.suffix == ".sources":
            for line in _STANZA.findall(text):
                yield from line.split()
        else:
            yield from _LINE.findall(text)


def _is(uri: str, name: str) -> bool:
    return uri.rstrip("/").rpartition("/")[2] == name
