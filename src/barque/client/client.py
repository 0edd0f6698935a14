"""The platform as a whole, as whoever holds a key."""

from types import TracebackType
from typing import Any, Self, Unpack

from barque.client.addresses import parts_of, path_of
from barque.client.connections import Awaiting, Blocking
from barque.client.envs import Env
from barque.client.orgs import Org
from barque.client.projects import Project
from barque.client.services import Service
from barque.client.shapes import (
    KeyView,
    MadeKey,
    NewKey,
    NewOrganization,
    OrganizationView,
    PlatformView,
    Readiness,
    Whoami,
)
from barque.client.verbs import C, Handle, verb
from barque.client.work import OnAway, Request, Retries, Work, exchange, ignore_absence

_BASE = "/api/v1"
_QUIET = 60.0


class Root(Handle[C]):
    """What can be asked of the platform itself, and handles of all that it holds."""

    def org(self, address: str) -> Org[C]:
        """Return a handle of an organization. Raises `BadAddress` for what is no address of one."""
        return Org(self.connection, self.path + path_of(address, 1))

    def project(self, address: str) -> Project[C]:
        """Return a handle of `org/project`. Raises `BadAddress`."""
        return Project(self.connection, self.path + path_of(address, 2))

    def env(self, address: str) -> Env[C]:
        """Return a handle of `org/project/env`. Raises `BadAddress`."""
        return Env(self.connection, self.path + path_of(address, 3))

    def service(self, address: str) -> Service[C]:
        """Return a handle of `org/project/env/service`. Raises `BadAddress`."""
        return Service(self.connection, self.path + path_of(address, 4))

    def at(self, address: str) -> Org[C] | Project[C] | Env[C] | Service[C]:
        """Return a handle of whatever an address names. Raises `BadAddress`."""
        handles = (self.org, self.project, self.env, self.service)
        return handles[len(parts_of(address)) - 1](address)

    @verb
    def whoami(self) -> Work[Whoami]:
        """Tell who is calling."""
        return self._ask("GET", "/whoami")

    @verb
    def platforms(self) -> Work[list[PlatformView]]:
        """List the platform names with their bindings."""
        return self._ask("GET", "/platforms")

    @verb
    def orgs(self) -> Work[list[OrganizationView]]:
        """List the caller's organizations."""
        return self._ask("GET", "/orgs")

    @verb
    def create_org(self, **fields: Unpack[NewOrganization]) -> Work[OrganizationView]:
        """Make an organization; its creator is admin."""
        return self._ask("POST", "/orgs", fields)

    @verb
    def api_keys(self) -> Work[list[KeyView]]:
        """List the caller's API keys."""
        return self._ask("GET", "/api-keys")

    @verb
    def create_api_key(self, **fields: Unpack[NewKey]) -> Work[MadeKey]:
        """Make an API key, which is in the answer, this once."""
        return self._ask("POST", "/api-keys", fields)

    @verb
    def revoke_api_key(self, key_id: str) -> Work[None]:
        """Revoke one of the caller's API keys."""
        return self._ask("DELETE", f"/api-keys/{key_id}")

    @verb
    def ready(self) -> Work[Readiness]:
        """Tell whether database, engine and router answer: each `ok`, or why not."""
        return self._answer(Request("GET", "/ready", also=(503,)))

    @verb
    def metrics(self) -> Work[str]:
        """Show counts and times of the platform, for Prometheus."""
        return self._text("/metrics")

    @verb
    def openapi(self) -> Work[dict[str, Any]]:
        """Show the OpenAPI document of the platform."""
        return self._answer(Request("GET", "/schema/openapi.json"))

    def _text(self, path: str) -> Work[str]:
        answer = yield from exchange(Request("GET", path), self.connection.retries)
        return answer.text


class Client(Root[Blocking]):
    """The platform at `url`, as whoever holds `key`. Raises `ApiError` and `Unreachable`.

    What may be asked again is, `retries` times: reading, and starting what has an idempotency
    key. Whoever asks too often is made to wait as long as the platform says. While a stream is
    followed, `on_away` is called with True when the platform is gone for some seconds, and with
    False when it answers again.
    """

    def __init__(
        self, url: str, key: str, *, timeout: float = _QUIET, retries: Retries | None = None,
        on_away: OnAway = ignore_absence,
    ) -> None:  # fmt: skip
        super().__init__(Blocking(url, key, timeout, retries or Retries(), on_away), _BASE)

    def close(self) -> None:
        """Close the connections."""
        self.connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self.close()


class AsyncClient(Root[Awaiting]):
    """The same as `Client` in asyncio: what that returns is awaited here, or an async iterator."""

    def __init__(
        self, url: str, key: str, *, timeout: float = _QUIET, retries: Retries | None = None,
        on_away: OnAway = ignore_absence,
    ) -> None:  # fmt: skip
        super().__init__(Awaiting(url, key, timeout, retries or Retries(), on_away), _BASE)

    async def close(self) -> None:
        """Close the connections."""
        await self.connection.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        await self.close()
