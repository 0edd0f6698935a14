"""Speaking to the platform: requests, errors, event streams."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx

_AGAIN = 1.0
_QUIET = 60.0
_PATIENCE = 120
# A large source is checked before the answer.
_UPLOAD = 600.0

T = TypeVar("T")


class Unreachable(Exception):
    """The platform does not answer."""


class ApiError(Exception):
    """The platform refused a request: `status`, `message`, and `errors` by field.

    `retry_after` is the seconds after which to ask again, where the platform named them.
    """

    def __init__(
        self,
        status: int,
        message: str,
        errors: list[dict[str, str]],
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.errors = errors
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Event:
    """One server-sent event: `id` resumes after it, `kind` is `message`, `gap` or `end`."""

    id: str
    kind: str
    data: str


class Transport:
    """A connection to the platform at `url`, with an API key.

    Whoever asks too often is made to wait for as long as the platform says, two minutes at most.
    """

    def __init__(self, url: str, key: str) -> None:
        self._url = url
        self._http = httpx.Client(
            base_url=f"{url.rstrip('/')}/api/v1", headers={"X-API-Key": key}, timeout=_QUIET
        )

    def call(
        self, method: str, path: str, body: Any = None, *, wait: float = _QUIET, **query: Any
    ) -> Any:
        """Make a request, and return the JSON of its answer. Raises `ApiError`, `Unreachable`."""
        request = self._http.build_request(
            method, path, json=body, params=_present(query), timeout=wait
        )
        try:
            answer = _patiently(lambda: self._send(request))
        except httpx.TransportError as error:
            raise self._unreachable(error) from error
        return answer.json() if answer.content else None

    def upload(self, path: str, pack: Callable[[], Iterator[bytes]]) -> Any:
        """Send what `pack` gives, piece by piece, and return the JSON of the answer.

        It is packed anew when the platform says that this was too soon. Raises `ApiError`,
        `Unreachable`, and whatever packing raises.
        """

        def send() -> httpx.Response:
            headers = {"Content-Type": "application/octet-stream"}
            return self._send(
                self._http.build_request(
                    "POST", path, content=pack(), headers=headers, timeout=_UPLOAD
                )
            )

        try:
            return _patiently(send).json()
        except httpx.TransportError as error:
            raise self._unreachable(error) from error

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
        request = self._http.build_request("GET", path, headers=headers, params=_present(query))
        with closing(_patiently(lambda: self._send(request, stream=True))) as answer:
            fields: dict[str, str] = {}
            for line in _lines(answer.iter_bytes()):
                name, _, value = line.partition(": ")
                if line:
                    fields[name] = value
                    continue
                kind = fields.get("event", "message")
                yield Event(fields.get("id", ""), kind, fields.get("data", ""))
                fields = {}

    def _send(self, request: httpx.Request, *, stream: bool = False) -> httpx.Response:
        answer = self._http.send(request, stream=stream)
        if answer.is_error:
            answer.read()
            raise _refusal(answer)
        return answer

    def _unreachable(self, error: Exception) -> Unreachable:
        return Unreachable(
            f"the platform at {self._url} does not answer ({error}): start it with "
            "'barque serve', or name another with 'barque login'"
        )


def _patiently(ask: Callable[[], T]) -> T:
    """Ask, and ask again whenever the platform says that this was too often."""
    left = _PATIENCE
    while True:
        try:
            return ask()
        except ApiError as error:
            wait = error.retry_after
            if error.status != 429 or not wait or wait > left:
                raise
        left -= wait
        time.sleep(wait)


def _present(query: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in query.items() if value is not None}


def _lines(chunks: Iterator[bytes]) -> Iterator[str]:
    """Split at line feeds alone: what httpx takes for a line's end may stand in an event."""
    rest = b""
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        yield from (line.decode() for line in lines)


def _refusal(answer: httpx.Response) -> ApiError:
    try:
        said = answer.json()
        message, errors = said["message"], said.get("errors", [])
    except (ValueError, KeyError, TypeError):
        message, errors = f"the platform answered {answer.status_code}", []
    after = answer.headers.get("retry-after", "")
    wait = int(after) if after.isascii() and after.isdigit() else None
    return ApiError(answer.status_code, message, errors, wait)
