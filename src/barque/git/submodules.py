"""Where the submodules of a repository are fetched from."""

import posixpath
import re
from urllib.parse import urlsplit

from barque.git.port import SourceError

_SSH = re.compile(r"(?:ssh://)?(?:[^@/]+@)(?P<host>[^:/@]+)(?::\d+/|[:/])(?P<path>.+)")


def gitlinks(listing: str) -> dict[str, str]:
    """Read what `git ls-tree -r -z` lists: the commit of each submodule, by its path."""
    found = {}
    for line in listing.split("\0"):
        meta, _, path = line.partition("\t")
        if meta.startswith("160000 "):
            found[path] = meta.split(" ")[2]
    return found


def addresses(settings: str) -> dict[str, str]:
    """Read what `git config -z --list` says of `.gitmodules`: each submodule's URL, by its path."""
    modules: dict[str, dict[str, str]] = {}
    for entry in settings.split("\0"):
        name, _, value = entry.partition("\n")
        section, _, key = name.rpartition(".")
        modules.setdefault(section, {})[key] = value
    return {one["path"]: one["url"] for one in modules.values() if {"path", "url"} <= one.keys()}


def submodule_address(path: str, said: str, parent: str, base_url: str) -> str:
    """Return the address of the submodule at `path`, of a repository whose own is `parent`.

    Nothing but HTTPS leads away from where the platform's repositories are: another protocol could
    read the machine's own files, or run its programs. Raises `SourceError`.
    """
    url = said
    if said.startswith(("./", "../")):
        url = f"{parent.rstrip('/')}/{said}"
    elif ssh := _SSH.fullmatch(said):
        base = urlsplit(base_url)
        scheme = base.scheme if base.hostname == ssh["host"] else "https"
        url = f"{scheme}://{ssh['host']}/{ssh['path']}"
    scheme, colon, rest = url.partition("://")
    rest = posixpath.normpath(rest)
    url = f"{scheme}{colon}{rest}"
    inside = url.startswith(f"{base_url}/")
    elsewhere = scheme == "https" and "@" not in rest and not rest.startswith(".")
    if not (inside or elsewhere):
        raise SourceError(
            f"the submodule {path} is at {_shown(said)}, which is not fetched: give it an https "
            f"address without a password in .gitmodules, or have it below {base_url}"
        )
    return url


def _shown(url: str) -> str:
    """Return an address as a message may show it: without a password."""
    return ascii(re.sub(r"//[^/@]*@", "//", url))[:200]
