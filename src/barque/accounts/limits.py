"""How often a caller may ask (contract: "429 with `Retry-After`")."""

import time
from collections import OrderedDict
from collections.abc import Callable
from functools import lru_cache
from ipaddress import IPv6Network

from barque.errors import TooMany

_SECOND = 1_000_000_000
_MINUTE = 60 * _SECOND


class Buckets:
    """Token buckets by name: each holds one minute's worth, and fills up evenly.

    Kept is what each owes, in nanoseconds times its limit, so that all arithmetic is of whole
    numbers. Who has asked nothing for a minute owes nothing, and is forgotten; so is, beyond
    `size`, whoever has not asked for longest.
    """

    def __init__(self, clock: Callable[[], int] = time.monotonic_ns, size: int = 100_000) -> None:
        self._clock = clock
        self._size = size
        self._owed: OrderedDict[str, tuple[int, int]] = OrderedDict()

    def take(self, name: str, limit: int) -> int:
        """Take a token of `limit` a minute. Returns 0, or the seconds until there is one."""
        now = self._clock()
        owed = self._debt(name, limit, now)
        if wait := _wait(owed, limit):
            return wait
        self._owed[name] = (owed + _MINUTE, now)
        self._owed.move_to_end(name)
        self._forget(now)
        return 0

    def wait(self, name: str, limit: int) -> int:
        """Return the seconds until there is a token; 0 means that there is one."""
        return _wait(self._debt(name, limit, self._clock()), limit)

    def __len__(self) -> int:
        return len(self._owed)

    def _debt(self, name: str, limit: int, now: int) -> int:
        owed, at = self._owed.get(name, (0, now))
        return max(0, owed - (now - at) * limit)

    def _forget(self, now: int) -> None:
        """Forget the oldest, two at most, so that this keeps up and never takes long."""
        for _ in range(2):
            _, at = next(iter(self._owed.values()))
            if now - at < _MINUTE and len(self._owed) <= self._size:
                return
            self._owed.popitem(last=False)


def _wait(owed: int, limit: int) -> int:
    too_much = owed + _MINUTE - limit * _MINUTE
    return max(0, -(-too_much // (limit * _SECOND)))


class Limits:
    """The limits of API keys, and of failed attempts from one address; 0 stands for none."""

    def __init__(self, per_key: int, failures_per_address: int) -> None:
        self._per_key = per_key
        self._failures = failures_per_address
        self._asked = Buckets()
        self._failed = Buckets()

    def admit(self, key_id: str, limit: int | None) -> None:
        """Count a request of a key, whose own limit may be null. Raises `TooMany`."""
        allowed = self._per_key if limit is None else limit
        if allowed and (wait := self._asked.take(key_id, allowed)):
            raise TooMany(f"this API key may make {allowed} requests a minute", wait)

    def check_address(self, address: str) -> None:
        """Return if an address may try a key. Raises `TooMany` after many that were wrong."""
        if self._failures and (wait := self._failed.wait(_network(address), self._failures)):
            raise TooMany("too many requests from here had a wrong API key", wait)

    def note_failure(self, address: str) -> None:
        """Count a wrong key."""
        if self._failures:
            self._failed.take(_network(address), self._failures)


@lru_cache(1024)
def _network(address: str) -> str:
    """Return an IPv6 address' network, whose owner has 2^64 addresses to come from."""
    if ":" not in address:
        return address
    try:
        return str(IPv6Network((address, 64), strict=False))
    except ValueError:
        return address
