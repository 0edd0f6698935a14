"""Speaking to the platform: requests, errors, event streams."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx

_AGAIN = 1.0
_QUIET = 60.0


class Unreachable(Exception):
    """The platform does not answer."""


class ApiError(Exception):
    """The platform refused a request: `status`, `message`, and `errors` by field."""

    def __init__(self, status: int, message: str, errors: list[dict[str, str]]) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Event:
    """One server-sent event: `id` resumes after it, `kind` is `message`, `gap` or `end`."""

    id: str
    kind: str
    data: str


class Transport:
    """A connection to the platform at `url`, with an API key."""

    def __init__(self, url: str, key: str) -> None:
        self._url = url
        self._http = httpx.Client(
            base_url=f"{url.rstrip('/')}/api/v1", headers={"X-API-Key": key}, timeout=_QUIET
        )

    def call(
        self, method: str, path: str, body: Any = None, *, wait: float = _QUIET, **query: Any
    ) -> Any:
        """Make a request, and return the JSON of its answer. Raises `ApiError`, `Unreachable`."""
        params = {name: value for name, value in query.items() if value is not None}
        try:
            answer = self._http.request(method, path, json=body, params=params, timeout=wait)
        except httpx.TransportError as error:
            raise self._unreachable(error) from error
        _raise_for(answer)
        return answer.json() if answer.content else None

    def events(self, path: str, **query: Any) -> Iterator[Event]:
        """Follow an event stream to its end, through broken connections, without gap or repeat."""
        last = ""
        while True:
            try:
                for event in self._stream(path, last, query):
                    last = event.id or last
                    if event.data:
                        yield event
                    if event.kind == "end":
                        return
            except httpx.TransportError as error:
                if not last:
                    raise self._unreachable(error) from error
            except ApiError as error:
                if not last or error.status != 503:
                    raise
            time.sleep(_AGAIN)

    def _stream(self, path: str, last: str, query: dict[str, Any]) -> Iterator[Event]:
        headers = {"Accept": "text/event-stream", **({"Last-Event-ID": last} if last else {})}
        params = {name: value for name, value in query.items() if value is not None}
        with self._http.stream("GET", path, headers=headers, params=params) as answer:
            if answer.is_error:
                answer.read()
            _raise_for(answer)
            fields: dict[str, str] = {}
            for line in _lines(answer.iter_bytes()):
                name, _, value = line.partition(": ")
                if line:
                    fields[name] = value
                    continue
                kind = fields.get("event", "message")
                yield Event(fields.get("id", ""), kind, fields.get("data", ""))
                fields = {}

    def _unreachable(self, error: Exception) -> Unreachable:
        return Unreachable(
            f"the platform at {self._url} does not answer ({error}): start it with "
            "'barque serve', or name another with 'barque login'"
        )


def _lines(chunks: Iterator[bytes]) -> Iterator[str]:
    """Split at line feeds alone: what httpx takes for a line's end may stand in an event."""
    rest = b""
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        yield from (line.decode() for line in lines)


def _raise_for(answer: httpx.Response) -> None:
    if not answer.is_error:
        return
    try:
        said = answer.json()
        message, errors = said["message"], said.get("errors", [])
    except (ValueError, KeyError, TypeError):
        message, errors = f"the platform answered {answer.status_code}", []
    raise ApiError(answer.status_code, message, errors)
