"""Keeping secrets out of what programs write."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

MASK = "********"
# A shorter value would blot out half of an honest log, and is no secret to speak of.
SHORTEST = 4


class Masker:
    """Replaces secret values, and each line of one that has several."""

    def __init__(self, values: Iterable[str]) -> None:
        parts = {part for value in values for part in (value, *value.splitlines())}
        self._secrets = sorted((p for p in parts if len(p) >= SHORTEST), key=len, reverse=True)
        self._pattern = (
            re.compile("|".join(map(re.escape, self._secrets))) if self._secrets else None
        )

    def mask(self, text: str) -> str:
        """Return `text` with a mask in place of every secret."""
        return self._pattern.sub(MASK, text) if self._pattern else text

    def stream(self) -> "MaskedStream":
        """Return what masks the same in bytes that come bit by bit."""
        return MaskedStream([secret.encode() for secret in self._secrets])


class MaskedStream:
    """Masks secrets in bytes that come bit by bit, however they were cut.

    What may be the beginning of a secret is held until it is known whether it is one, or until
    whoever reads asks for it (`rest`): a prompt must not wait for what comes after it.
    """

    def __init__(self, secrets: Sequence[bytes]) -> None:
        self._begun_by: dict[bytes, list[bytes]] = defaultdict(list)
        for secret in secrets:
            self._begun_by[secret[:SHORTEST]].append(secret)
        self._secrets = secrets
        self._longest = max(map(len, secrets), default=0)
        # The longest comes first, and so is found where another begins with the same.
        self._whole = re.compile(b"|".join(map(re.escape, secrets)))
        self._begin = re.compile(b"(?=%s)" % b"|".join(map(re.escape, self._begun_by)))
        self._held = b""
        # How much of what is held was shown already: it is kept, to know a secret by its rest.
        self._shown = 0

    @property
    def holds(self) -> bool:
        """Whether something waits for what comes next."""
        return len(self._held) > self._shown

    def feed(self, data: bytes) -> bytes:
        """Take the next bytes, and return what may be shown by now."""
        if not self._secrets:
            return data
        self._held += data
        open_ends = list(self._open_ends())
        shown, at = b"", 0
        while True:
            until = next((one for one in open_ends if one >= at), len(self._held))
            found = self._whole.search(self._held, at)
            if found is None or until <= found.start():
                break
            shown += self._masked(at, found)
            at = found.end()
        shown += self._piece(at, until)
        self._held, self._shown = self._held[until:], max(0, self._shown - until)
        return shown

    def rest(self) -> bytes:
        """Return what is held, as if nothing came after it."""
        shown, at = b"", 0
        for found in self._whole.finditer(self._held) if self._held else ():
            shown += self._masked(at, found)
            at = found.end()
        shown += self._piece(at, len(self._held))
        self._shown = len(self._held)
        return shown

    def _open_ends(self) -> Iterator[int]:
        """Find, in order, from where on all that is held may be the beginning of a secret."""
        size = len(self._held)
        for found in self._begin.finditer(self._held, max(0, size - self._longest + 1)):
            at = found.start()
            rest = self._held[at:]
            known = self._begun_by[rest[:SHORTEST]]
            if any(len(one) > len(rest) and one.startswith(rest) for one in known):
                yield at
        for at in range(max(0, size - SHORTEST + 1), size):
            rest = self._held[at:]
            if any(one.startswith(rest) for one in self._secrets):
                yield at

    def _masked(self, at: int, secret: re.Match[bytes]) -> bytes:
        mask = MASK.encode() if secret.end() > self._shown else b""
        return self._piece(at, secret.start()) + mask

    def _piece(self, begin: int, end: int) -> bytes:
        return self._held[max(begin, self._shown) : end]
