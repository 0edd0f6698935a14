"""The API, asked in process: the same endpoints, rights and answers as over the network."""

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import msgspec
from litestar import Request

from barque.accounts.keys import Actor
from barque.http import Endpoint, encode, run_as

if TYPE_CHECKING:
    from barque.platform import Platform

ORG = "/orgs/{org}"
PROJECT = ORG + "/projects/{project}"
ENV = PROJECT + "/envs/{env}"
SVC = ENV + "/services/{svc}"

Endpoints = dict[tuple[str, str], Endpoint]


class Inside:
    """Asks the API as the caller of a page; `names` are those of the page's own path."""

    def __init__(
        self, endpoints: Endpoints, platform: "Platform", request: Request[Any, Any, Any],
        actor: Actor,
    ) -> None:  # fmt: skip
        self._endpoints = endpoints
        self._platform = platform
        self._request = request
        self._actor = actor
        self.names: dict[str, str] = dict(request.path_params)

    async def get(self, path: str, query: dict[str, Any] | None = None, **names: Any) -> Any:
        """Return what the API answers to a GET, as plain data. Raises what the API would."""
        return await self._ask("GET", path, query or {}, b"", names)

    async def send(self, method: str, path: str, body: Any = None, **names: Any) -> Any:
        """Have the API change something. Raises what the API would."""
        return await self._ask(method, path, {}, encode({} if body is None else body), names)

    async def remove(self, path: str, query: dict[str, Any] | None = None, **names: Any) -> Any:
        """Have the API delete something. Raises what the API would."""
        return await self._ask("DELETE", path, query or {}, b"", names)

    async def _ask(
        self, method: str, path: str, query: dict[str, Any], body: bytes, names: dict[str, Any]
    ) -> Any:
        endpoint = self._endpoints[method, path]
        # Only the names of the very path: they say where the question is asked.
        found = {**self.names, **{name: str(value) for name, value in names.items()}}
        own = {name: value for name, value in found.items() if "{" + name + "}" in path}
        request = self._asked(method, path.format(**own), own, query, body)
        answer = await run_as(self._actor, endpoint, self._platform, request)
        if answer.raw is not None:
            return msgspec.json.decode(answer.raw)
        return msgspec.to_builtins(answer.value)

    def _asked(
        self, method: str, path: str, names: dict[str, str], query: dict[str, Any], body: bytes
    ) -> Request[Any, Any, Any]:
        async def receive() -> Any:
            return {"type": "http.request", "body": body, "more_body": False}

        given = {name: value for name, value in query.items() if value not in (None, "")}
        scope: Any = {
            **self._request.scope,
            "method": method, "path": path, "raw_path": path.encode(), "path_params": names,
            "query_string": urlencode(given).encode(), "headers": [], "state": {},
        }  # fmt: skip
        return Request(scope, receive=receive)
