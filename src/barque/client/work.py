"""What to ask of the platform, and when to ask again: told once, for blocking and for asyncio.

Work is a generator. It yields what is to be done next, and is sent what came of it; a connection
(`barque.client.connections`) does these steps, and knows no rule.
"""

import random
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

import httpx

from barque.client.errors import ApiError, Unreachable
from barque.client.events import Event, Feed

T = TypeVar("T")

_FIRST_WAIT, _LONGEST_WAIT = 0.25, 10.0
# Seconds for which a stream waits for a platform that is gone.
_LONGEST_AWAY = 300.0
# Seconds of its waiting, beside those of each request, after which that is worth a word.
_NOTED_AWAY = 0.5
_TRY_AGAIN = (502, 503, 504)


@dataclass(frozen=True, slots=True)
class Request:
    """A request as data; `content` makes the body of an upload, anew for each attempt.

    Statuses `also` are answers, though they are no success.
    """

    method: str
    path: str
    body: Any = None
    query: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    content: Callable[[], Iterator[bytes]] | None = None
    timeout: float | None = None
    also: tuple[int, ...] = ()

    @property
    def repeatable(self) -> bool:
        """Whether it may be asked again though nobody knows what became of it."""
        return self.method == "GET" or "Idempotency-Key" in self.headers


@dataclass(frozen=True, slots=True)
class Send:
    """Send a request. What comes of it is an `httpx.Response`, read whole unless `stream`."""

    request: Request
    stream: bool = False


@dataclass(frozen=True, slots=True)
class Open:
    """Open a WebSocket. What comes of it is that, or the `httpx.Response` that refused it."""

    request: Request


@dataclass(frozen=True, slots=True)
class Read:
    """Read the next bytes of the stream that was opened last; None is its end."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Wait so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Do:
    """Call a function that takes its time, and return what it returns."""

    function: Callable[[], Any]


@dataclass(frozen=True, slots=True)
class Give(Generic[T]):
    """Give an item to whoever iterates."""

    item: T


Step = Send | Open | Read | Wait | Do
Work = Generator[Step, Any, T]
Stream = Generator[Step | Give[T], Any, None]
OnAway = Callable[[bool], None]


@dataclass(frozen=True, slots=True)
class Retries:
    """How often to try again, and how many seconds of waiting are enough.

    A platform that says how long to wait is believed: for as long as that fits into `patience`.
    """

    attempts: int = 3
    patience: float = 120


class _Patience:
    """What is left of the retries of one request."""

    def __init__(self, retries: Retries, request: Request) -> None:
        self._left = retries.patience
        self._attempts = retries.attempts
        self._next = _FIRST_WAIT
        self._request = request

    def after_refusal(self, error: ApiError) -> float:
        """Return the seconds after which to ask again. Raises the error where that is no use."""
        told = error.retry_after or 0
        if error.status == 429 and told:
            return self._spend(told, error)
        if error.status in _TRY_AGAIN and self._request.repeatable:
            return self._spend(max(told, self._back_off(error)), error)
        raise error

    def after_failure(self, error: httpx.TransportError) -> float:
        """Return the seconds after which to ask again. Raises the error where that is no use."""
        # Where there was no connection, nothing was asked yet.
        if self._request.repeatable or isinstance(error, httpx.ConnectError):
            return self._spend(self._back_off(error), error)
        raise error

    def _back_off(self, error: Exception) -> float:
        if not self._attempts:
            raise error
        self._attempts -= 1
        longest, self._next = self._next, min(self._next * 2, _LONGEST_WAIT)
        # Those who were cut off together do not come back together.
        return random.uniform(longest / 2, longest)  # noqa: S311 - no secret

    def _spend(self, wait: float, error: Exception) -> float:
        if wait > self._left:
            raise error
        self._left -= wait
        return wait


def exchange(request: Request, retries: Retries, *, stream: bool = False) -> Work[httpx.Response]:
    """Send a request, again if need be, and return the answer. Raises `ApiError`, `Unreachable`."""
    answer: httpx.Response = yield from _patiently(Send(request, stream), request, retries)
    return answer


def opening(request: Request, retries: Retries) -> Work[Any]:
    """Open a WebSocket, again if need be, and return it. Raises `ApiError`, `Unreachable`."""
    return _patiently(Open(request), request, retries)


def _patiently(step: Step, request: Request, retries: Retries) -> Work[Any]:
    """Do a step, again if need be, and return what comes of it, which is no refusal."""
    patience = _Patience(retries, request)
    try:
        while True:
            try:
                found = yield step
            except httpx.TransportError as error:
                wait = patience.after_failure(error)
            else:
                if not _refuses(found, request):
                    return found
                wait = patience.after_refusal(ApiError.of(found))
            yield Wait(wait)
    except httpx.TransportError as error:
        raise _unreachable(error) from error


def _refuses(found: Any, request: Request) -> bool:
    is_answer = isinstance(found, httpx.Response)
    return is_answer and found.is_error and found.status_code not in request.also


def pages(request: Request, retries: Retries, per_page: int) -> Stream[Any]:
    """Give every item of a list, page by page, each once however the list grows meanwhile."""
    number, before = 1, set[str]()
    while True:
        query = {**request.query, "page": number, "per_page": per_page}
        answer = yield from exchange(replace(request, query=query), retries)
        page = answer.json()
        for item in page["items"]:
            # What is new pushes the others back, onto the next page.
            if item["id"] not in before:
                yield Give(item)
        if number >= page["pagination"]["pages"]:
            return
        before = {item["id"] for item in page["items"]}
        number += 1


def ignore_absence(away: bool) -> None:
    """Leave it at waiting for the platform."""


class _Absence:
    """What is told of a platform that is away: once that it is, and once that it is back."""

    def __init__(self, on_away: OnAway) -> None:
        self._tell = on_away
        self._told = False

    def lasts(self, waited: float) -> None:
        if waited >= _NOTED_AWAY and not self._told:
            self._told = True
            self._tell(True)

    def ends(self) -> None:
        if self._told:
            self._told = False
            self._tell(False)


def events(
    request: Request, retries: Retries, each: Callable[[Event], Iterable[T]],
    on_away: OnAway = ignore_absence,
) -> Stream[T]:  # fmt: skip
    """Give what `each` makes of an event stream's events, through broken connections, to its end.

    There is neither gap nor repeat: it is resumed after the last event that came. A platform that
    stays away for some seconds is told to `on_away`, and so is its return; where it does so for
    five minutes, that is raised as `Unreachable`.
    """
    last, pause, waited = "", _FIRST_WAIT, 0.0
    absence = _Absence(on_away)
    while True:
        resumed = {"Last-Event-ID": last} if last else {}
        headers = {"Accept": "text/event-stream", **resumed}
        try:
            yield from exchange(replace(request, headers=headers), retries, stream=True)
            absence.ends()
            feed = Feed()
            while (chunk := (yield Read())) is not None:
                for event in feed.events(chunk):
                    last, pause, waited = event.id or last, _FIRST_WAIT, 0.0
                    for item in each(event):
                        yield Give(item)
                    if event.kind == "end":
                        return
        except (httpx.TransportError, Unreachable, ApiError) as error:
            _raise_unless(bool(last) and waited < _LONGEST_AWAY, error)
            absence.lasts(waited)
        yield Wait(pause)
        waited += pause
        pause = min(pause * 2, _LONGEST_WAIT)


def _raise_unless(resumable: bool, error: Exception) -> None:
    """Return where a stream that had begun goes on by itself, once the platform is back."""
    if resumable and (not isinstance(error, ApiError) or error.status == 503):
        return
    raise _unreachable(error) if isinstance(error, httpx.TransportError) else error


def _unreachable(error: httpx.TransportError) -> Unreachable:
    try:
        url = f"{error.request.url.scheme}://{error.request.url.netloc.decode()}"
    except RuntimeError:
        url = "this address"
    return Unreachable(
        f"the platform at {url} does not answer ({error}): start it with 'barque serve', or name "
        "another with 'barque login'"
    )
