"""Keeping secrets out of what programs write."""

import re
from collections.abc import Iterable

MASK = "********"
# A shorter value would blot out half of an honest log, and is no secret to speak of.
SHORTEST = 4


class Masker:
    """Replaces secret values, and each line of one that has several."""

    def __init__(self, values: Iterable[str]) -> None:
        parts = {part for value in values for part in (value, *value.splitlines())}
        found = sorted((p for p in parts if len(p) >= SHORTEST), key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, found))) if found else None

    def mask(self, text: str) -> str:
        """Return `text` with a mask in place of every secret."""
        return self._pattern.sub(MASK, text) if self._pattern else text
