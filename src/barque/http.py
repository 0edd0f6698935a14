"""How endpoints are declared, and what happens around each: who calls, where, with what body.

A controller is a module of functions, each declared once by `endpoint`. The declaration makes the
route and its page in the OpenAPI document, so that the two cannot differ.
"""

import asyncio
import hashlib
import inspect
import re
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol, TypeVar

import msgspec
from litestar import Request
from litestar.exceptions import InternalServerException
from sqlalchemy.ext.asyncio import AsyncSession

from barque.accounts.keys import Actor
from barque.bodies import convert, decode
from barque.errors import BarqueError, Conflict, Invalid, TooLarge
from barque.fields import LARGEST
from barque.idempotency import IdempotencyRecord
from barque.lasting import events_while, talk_while
from barque.services.place import Place, Role, allow

if TYPE_CHECKING:
    from barque.platform import Platform

T = TypeVar("T", bound=msgspec.Struct)

BODY_LIMIT = 8 * 1024 * 1024
encode = msgspec.json.encode
_KEY = re.compile(r"[!-~]{1,255}")


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back: a value for JSON (or None for no body), a stream of events, or a session."""

    value: Any = None
    status: int = 200
    events: AsyncGenerator[bytes, None] | None = None
    raw: bytes | None = None
    media: str = "application/json"
    session: "Talk | None" = None


class Replayed(BarqueError):
    """Not an error: the same request was answered before, and here is that answer."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__("replayed")
        self.status = status
        self.body = body


@dataclass(slots=True)
class Call:
    """One request, after the caller is known and the path resolved."""

    request: Request[Any, Any, Any]
    platform: "Platform"
    endpoint: "Endpoint"
    actor: Actor
    place: Place
    _body: bytes = b""

    @property
    def path(self) -> dict[str, str]:
        """The parameters of the path."""
        return self.request.path_params

    async def body(self, kind: type[T]) -> T:
        """Decode the body strictly. Raises `Invalid`."""
        self._body = await read_body(self.request)
        return decode(self._body, kind)

    async def body_into(self, file: BinaryIO, limit: int, complaint: str) -> None:
        """Write the body to a file as it comes.

        Raises `TooLarge` with the complaint, `Invalid` when the caller leaves, and `OSError`.
        """
        hashed, size = hashlib.sha256(), 0
        async for part in _parts(self.request):
            size += len(part)
            if size > limit:
                raise TooLarge(complaint)
            hashed.update(part)
            await asyncio.to_thread(file.write, part)
        self._body = hashed.digest()

    def query(self, kind: type[T]) -> T:
        """Read the query parameters. Raises `Invalid`, also for one that is repeated."""
        values: dict[str, str] = {}
        for name, value in self.request.query_params.multi_items():
            if name in values:
                raise Invalid.field(name, "is given more than once")
            values[name] = value
        return convert(values, kind)

    def require(self, role: Role) -> None:
        """Return if the caller may act as `role` here. Raises `Forbidden`."""
        allow(self.actor, self.place, role)

    def number(self, name: str) -> int:
        """Read a whole number of the path; what is none is 0, which no row has."""
        text = self.path[name]
        number = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0
        return number if number <= LARGEST else 0

    @property
    def wants_events(self) -> bool:
        """Tell whether the caller asked for an event stream."""
        return "text/event-stream" in self.request.headers.get("accept", "")

    def last_event(self) -> int:
        """Return the id after which an event stream resumes. Raises `Invalid`."""
        given = self.request.headers.get("last-event-id", "0")
        if not (given.isascii() and given.isdigit() and len(given) < 16):
            raise Invalid.field("Last-Event-ID", "must be the id of an event of this stream")
        return int(given)

    @asynccontextmanager
    async def once(self) -> AsyncIterator[AsyncSession]:
        """Open a transaction that happens once for each `Idempotency-Key`.

        Raises `Replayed` when this very request was answered in the last 24 hours, and `Conflict`
        when another request used the key.
        """
        async with self.platform.database.write() as session:
            if key := self._key():
                record = await session.get(IdempotencyRecord, key)
                if record is not None and record.is_fresh():
                    if record.request != self._fingerprint():
                        raise Conflict(
                            "this Idempotency-Key was used for another request: choose a new one"
                        )
                    raise Replayed(record.status, record.answer)
                if record is not None:
                    await session.delete(record)
                    await session.flush()
            yield session

    def remember(self, session: AsyncSession, value: Any, status: int = 202) -> Answer:
        """Answer, and keep the answer for whoever repeats the request with the same key."""
        if key := self._key():
            session.add(
                IdempotencyRecord(
                    key=key, request=self._fingerprint(), status=status, answer=encode(value)
                )
            )
        return Answer(value, status)

    def _key(self) -> str | None:
        header = self.request.headers.get("idempotency-key")
        if header is None:
            return None
        if not _KEY.fullmatch(header):
            raise Invalid.field("Idempotency-Key", "must be 1 to 255 visible ASCII characters")
        return hashlib.sha256(f"{self.actor.user_id}\n{header}".encode()).hexdigest()

    def _fingerprint(self) -> str:
        said = f"{self.request.method} {self.request.url.path.rstrip('/')}\n".encode() + self._body
        return hashlib.sha256(said).hexdigest()


Handler = Callable[[Call], Awaitable[Any]]


class Socket(Protocol):
    """A WebSocket that is open; its methods raise `Left` once the caller is gone."""

    async def receive(self) -> bytes | str:
        """Wait for the next message: bytes, or text."""

    async def send(self, message: bytes | str) -> None:
        """Send a message, waiting for a caller that reads slowly."""


class Left(Exception):
    """The caller of a session is gone, or the platform ends."""


# What happens on a session's socket, once it is open.
Talk = Callable[[Socket], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One endpoint, declared: enough to route it, guard it and document it."""

    method: str
    path: str
    handler: Handler
    role: Role | None
    status: int
    answer: Any
    body: Any
    query: type[msgspec.Struct] | None
    errors: tuple[int, ...]
    once: bool
    events: bool
    public: bool
    media: str = "application/json"
    also: tuple[int, ...] = ()
    upload: bool = False

    @property
    def name(self) -> str:
        """A name that no other endpoint has."""
        return f"{self.handler.__module__.split('.')[-2]}_{self.handler.__name__}"

    @property
    def summary(self) -> str:
        """What it does, in one sentence."""
        return inspect.cleandoc(self.handler.__doc__ or "").partition("\n")[0]

    @property
    def details(self) -> str:
        """What there is to know about it besides."""
        return inspect.cleandoc(self.handler.__doc__ or "").partition("\n")[2].strip()


@dataclass(slots=True)
class Routes:
    """The endpoints of one controller; `prefix` comes before each of their paths."""

    prefix: str = ""
    endpoints: list[Endpoint] = field(default_factory=list)
    sessions: list[Endpoint] = field(default_factory=list)

    def endpoint(
        self,
        method: str,
        path: str = "",
        *,
        answer: Any = None,
        role: Role | None = "viewer",
        status: int = 200,
        body: Any = None,
        query: type[msgspec.Struct] | None = None,
        errors: tuple[int, ...] = (),
        once: bool = False,
        events: bool = False,
        public: bool = False,
        media: str = "application/json",
        also: tuple[int, ...] = (),
        upload: bool = False,
    ) -> Callable[[Handler], Handler]:
        """Declare an endpoint: `role` is what the caller needs in the path's organization.

        `errors` are the statuses that it may answer beside those which follow from the rest,
        `also` further successes; `once` honours an `Idempotency-Key`, `upload` is a body of bytes.
        """

        def declare(handler: Handler) -> Handler:
            self.endpoints.append(
                Endpoint(
                    method, self.prefix + path, handler, role, status, answer, body, query,
                    errors, once, events, public, media, also, upload,
                )
            )  # fmt: skip
            return handler

        return declare

    def session(self, path: str, *, role: Role) -> Callable[[Handler], Handler]:
        """Declare an endpoint whose answer is a session over a WebSocket (see `sockets.py`)."""

        def declare(handler: Handler) -> Handler:
            self.sessions.append(
                Endpoint(
                    "GET", self.prefix + path, handler, role, 101, None, None, None, (), False,
                    False, False,
                )
            )  # fmt: skip
            return handler

        return declare


def pattern(path: str) -> str:
    """Return the path of an endpoint as Litestar writes it."""
    return path.replace("}", ":str}")


async def _parts(request: Request[Any, Any, Any]) -> AsyncIterator[bytes]:
    try:
        async for part in request.stream():
            yield part
    except InternalServerException:
        raise Invalid.field("body", "ended before all of it was sent: send it again") from None


async def read_body(request: Request[Any, Any, Any]) -> bytes:
    """Read the body, up to the limit. Raises `TooLarge`, and `Invalid` when the caller leaves."""
    parts, size = [], 0
    async for part in _parts(request):
        size += len(part)
        if size > BODY_LIMIT:
            raise TooLarge(f"the body is over {BODY_LIMIT // 2**20} MiB")
        parts.append(part)
    return b"".join(parts)


async def run(endpoint: Endpoint, platform: "Platform", request: Request[Any, Any, Any]) -> Answer:
    """Answer one request: find the caller, the place, the right to it, then do the work."""
    if endpoint.public:
        return _answer(
            endpoint,
            await endpoint.handler(Call(request, platform, endpoint, Actor.nobody(), Place())),
        )
    answer = await run_as(await platform.keys.authenticate(request), endpoint, platform, request)
    lasts = answer.events is not None or answer.session is not None
    return _while_allowed(answer, endpoint, platform, request) if lasts else answer


def _while_allowed(
    answer: Answer, endpoint: Endpoint, platform: "Platform", request: Request[Any, Any, Any]
) -> Answer:
    """Return an answer that ends when its caller may not ask for it any more."""

    async def check() -> None:
        # What is deleted meanwhile tells of that itself: only the caller is looked at.
        of_org = {"org": request.path_params["org"]}
        await _place(await platform.keys.identify(request), endpoint, platform, of_org)

    if answer.events is not None:
        return replace(answer, events=events_while(answer.events, check))
    if answer.session is not None:
        return replace(answer, session=talk_while(answer.session, check))
    return answer


async def _place(
    actor: Actor, endpoint: Endpoint, platform: "Platform", path: dict[str, Any]
) -> Place:
    """Find what a path names. Raises `NotFound`, and `Forbidden` to who may not do this there."""
    place = await platform.places.find(actor, path)
    if place.org is not None and endpoint.role is not None:
        allow(actor, place, endpoint.role)
    return place


async def run_as(
    actor: Actor, endpoint: Endpoint, platform: "Platform", request: Request[Any, Any, Any]
) -> Answer:
    """Answer a request of a caller who is known: find the place, the right to it, do the work."""
    place = await _place(actor, endpoint, platform, request.path_params)
    call = Call(request, platform, endpoint, actor, place)
    if endpoint.events:
        # A bad id is an error also where the answer is no stream.
        call.last_event()
    return _answer(endpoint, await endpoint.handler(call))


def _answer(endpoint: Endpoint, value: Any) -> Answer:
    return value if isinstance(value, Answer) else Answer(value, endpoint.status)
