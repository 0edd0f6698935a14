"""References of images that were built elsewhere: `nginx:1.27`, `ghcr.io/acme/api@sha256:...`."""

import re
from dataclasses import dataclass

# As registries define it: a host, a path in lower case, a tag, a digest.
_HOST = r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?(?::[0-9]{1,5})?/)?"
_WORD = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_TAG = r"(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?"
_DIGEST = r"(?:@sha256:[a-f0-9]{64})?"
PATTERN = rf"^{_HOST}{_WORD}(?:/{_WORD})*{_TAG}{_DIGEST}$"

_PARTS = re.compile(r"(?P<name>[^@]+?)(?::(?P<tag>[^:/@]+))?(?:@(?P<digest>sha256:[a-f0-9]{64}))?")
_SAME_REGISTRY = ("docker.io/", "index.docker.io/")
_OWN, _BASE = "barque/", "barque/base"


@dataclass(frozen=True, slots=True)
class ImageName:
    """A reference in its parts. `version` is a digest, or else a tag: `latest` where none is said.

    Thus an engine never takes the name for the beginning of an image's id.
    """

    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.name}{'@' if ':' in self.version else ':'}{self.version}"

    @property
    def local(self) -> bool:
        """Whether it is one of the platform's own names, which mean nothing to a registry."""
        return _plain(self.name).startswith(_OWN)

    @property
    def reserved(self) -> bool:
        """Whether it names what the platform built for some service, which is not for others."""
        return self.local and _plain(self.name) != _BASE


def parse(reference: str) -> ImageName:
    """Take a reference apart; it must match `PATTERN`."""
    found = _PARTS.fullmatch(reference)
    if found is None:
        raise ValueError(f"{reference} is no reference of an image")
    return ImageName(found["name"], found["digest"] or found["tag"] or "latest")


def _plain(name: str) -> str:
    for registry in _SAME_REGISTRY:
        name = name.removeprefix(registry)
    return name
