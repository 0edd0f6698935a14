"""Names: ids, slugs, and what may be one (contract: "Ground rules")."""

import hashlib
import re
import unicodedata

import uuid_utils

SLUG = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def new_id() -> str:
    """Return a new UUIDv7: ids sort by age."""
    return str(uuid_utils.uuid7())


def is_id(text: str) -> bool:
    """Tell whether `text` has the form of an id."""
    return _ID.fullmatch(text) is not None


def is_slug(text: str) -> bool:
    """Tell whether `text` has the form of a slug."""
    return SLUG.fullmatch(text) is not None


def slugify(name: str) -> str:
    """Derive a slug from a name: `"My API"` becomes `my-api`.

    Raises `ValueError` when nothing is left of it, when it is longer than 63 characters, or when
    it would look like an id.
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    if not slug:
        raise ValueError("must hold at least one letter or digit, to make an address of")
    if len(slug) > 63:
        raise ValueError(f"is too long: its slug '{slug[:20]}...' is over 63 characters")
    if is_id(slug):
        raise ValueError("must not have the form of an id")
    return slug


def digest(token: str) -> str:
    """Hash a token. It is random, so that no slow hash is needed (design: "Facts")."""
    return hashlib.sha256(token.encode()).hexdigest()
