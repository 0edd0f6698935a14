"""Addresses: `org/project/env/service`, as far as needed."""

WORDS = ("orgs", "projects", "envs", "services")
_KINDS = ("organization", "project", "environment", "service")


class BadAddress(ValueError):
    """What was given is no address of what was meant."""


def parts_of(address: str) -> list[str]:
    """Split an address. Raises `BadAddress`."""
    parts = address.strip("/").split("/")
    if not all(parts) or len(parts) > len(WORDS):
        raise BadAddress(f"'{address}' is no address: write org/project/env/service")
    return parts


def path_of(address: str, depth: int | None = None) -> str:
    """Turn an address into the path of the API. Raises `BadAddress`, also for another depth."""
    parts = parts_of(address)
    if depth is not None and len(parts) != depth:
        wanted = "/".join(("org", "project", "env", "service")[:depth])
        raise BadAddress(f"'{address}' is no {_KINDS[depth - 1]}: write {wanted}")
    return "".join(f"/{word}/{part}" for word, part in zip(WORDS, parts, strict=False))
