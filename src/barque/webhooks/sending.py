"""One attempt at a delivery, over HTTP."""

import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from yarl import URL

from barque.webhooks.guard import AddressRefused, Guard, Network

GONE = 410
_LONGEST = 500


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt went: the answer's status if there was one, and what was wrong, if it was."""

    status: int | None = None
    error: str | None = None


class Sender:
    """Posts to receivers. No redirect is followed, and nothing of an answer's body is read."""

    def __init__(
        self, allowed: Sequence[Network], timeout: float, ca_bundle: Path | None = None
    ) -> None:
        self._guard = Guard(allowed)
        self._timeout = timeout
        self._ca_bundle = ca_bundle
        self._session: aiohttp.ClientSession | None = None

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Outcome:
        """Post once, and say how that went; nothing is raised for what a receiver can cause."""
        try:
            session = self._session = self._session or self._opened()
            target = URL(url)
            self._guard.check_literal(target.host or "")
            async with session.post(
                target, data=body, headers=headers, allow_redirects=False
            ) as answer:
                return _outcome(answer.status)
        except TimeoutError:
            return Outcome(error=f"no answer within {self._timeout:g} s")
        except (AddressRefused, aiohttp.ClientError, OSError, ValueError) as error:
            return Outcome(error=str(error)[:_LONGEST] or type(error).__name__)

    def _opened(self) -> aiohttp.ClientSession:
        trusted = ssl.create_default_context()
        if self._ca_bundle is not None:
            trusted.load_verify_locations(self._ca_bundle)
        # Each delivery is a connection of its own, and looks its receiver up for itself.
        connector = aiohttp.TCPConnector(
            resolver=self._guard, use_dns_cache=False, force_close=True, limit=0, ssl=trusted
        )
        return aiohttp.ClientSession(
            connector=connector, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False,
            timeout=aiohttp.ClientTimeout(total=self._timeout), trust_env=False,
        )  # fmt: skip


def _outcome(status: int) -> Outcome:
    if 200 <= status < 300:
        return Outcome(status)
    if 300 <= status < 400:
        return Outcome(status, "it answered with a redirect, which is not followed: change the url")
    return Outcome(status, f"it answered {status}")
