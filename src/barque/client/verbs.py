"""Methods that describe work, and are done in the way of their handle: blocking, or awaited."""

from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Iterable, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass
from functools import update_wrapper
from typing import Any, Concatenate, Generic, ParamSpec, Self, TypeVar, overload
from uuid import uuid4

from barque.client.connections import Awaiting, Blocking
from barque.client.events import Event
from barque.client.sessions import AsyncSession, Dialogue, Session
from barque.client.work import Request, Stream, Work, events, exchange, pages

C = TypeVar("C", Blocking, Awaiting)
H = TypeVar("H")
P = ParamSpec("P")
T = TypeVar("T")
D = TypeVar("D")


@dataclass(frozen=True)
class Handle(Generic[C]):
    """Something of the platform's at its path, through a connection."""

    connection: C
    path: str

    def _ask(
        self, method: str, path: str = "", body: Any = None, *,
        timeout: float | None = None, **query: Any,
    ) -> Work[Any]:  # fmt: skip
        """Make a request below this path; what comes of it is the JSON of the answer."""
        return self._answer(Request(method, self.path + path, body, query, timeout=timeout))

    def _start(self, path: str, body: Any = None) -> Work[Any]:
        """Start something, once however often it has to be asked."""
        return self._answer(Request("POST", self.path + path, body, headers=_once()))

    def _send(self, path: str, content: Callable[[], Iterator[bytes]], timeout: float) -> Work[Any]:
        """Send bytes, which start something once, made anew for each attempt."""
        headers = {"Content-Type": "application/octet-stream", **_once()}
        request = Request("POST", self.path + path, headers=headers, content=content,
                          timeout=timeout)  # fmt: skip
        return self._answer(request)

    def _answer(self, request: Request) -> Work[Any]:
        answer = yield from exchange(request, self.connection.retries)
        return answer.json() if answer.content else None

    def _pages(self, path: str, per_page: int, **query: Any) -> Stream[Any]:
        request = Request("GET", self.path + path, query=query)
        return pages(request, self.connection.retries, per_page)

    def _dialogue(
        self, path: str, command: str | None, size: tuple[int, int] | None, **query: Any
    ) -> Dialogue:
        """Describe a session, on a terminal where there is a size of one."""
        if size is not None:
            query |= {"tty": "true", "rows": size[0], "cols": size[1]}
        return Dialogue(Request("GET", self.path + path, query=query), command)

    def _events(self, path: str, each: Callable[[Event], Iterable[T]], **query: Any) -> Stream[T]:
        request = Request("GET", self.path + path, query=query)
        return events(request, self.connection.retries, each, self.connection.on_away)


def _once() -> dict[str, str]:
    return {"Idempotency-Key": str(uuid4())}


class _Described(Generic[H, P, D]):
    """A method that describes something, which is done in a way of its handle's connection."""

    def __init__(self, describe: Callable[Concatenate[H, P], D]) -> None:
        self._describe = describe
        self.__doc__ = describe.__doc__

    def _bound(self, handle: Any, way: Callable[[D], Any]) -> Callable[P, Any]:
        describe: Callable[P, D] = self._describe.__get__(handle)

        def method(*arguments: P.args, **options: P.kwargs) -> Any:
            return way(describe(*arguments, **options))

        return update_wrapper(method, describe)


class verb(_Described[H, P, Work[T]], Generic[H, P, T]):
    """A method that describes work: it returns what comes of that, or a coroutine for it."""

    @overload
    def __get__(self, handle: None, owner: type) -> Self: ...
    @overload
    def __get__(self, handle: Handle[Blocking], owner: type) -> Callable[P, T]: ...
    @overload
    def __get__(
        self, handle: Handle[Awaiting], owner: type
    ) -> Callable[P, Coroutine[Any, Any, T]]: ...
    def __get__(self, handle: Any, owner: type) -> Any:
        """Bind it to a handle."""
        return self if handle is None else self._bound(handle, handle.connection.carry)


class stream(_Described[H, P, Stream[T]], Generic[H, P, T]):
    """A method that describes work with many items: it returns an iterator, or an async one."""

    @overload
    def __get__(self, handle: None, owner: type) -> Self: ...
    @overload
    def __get__(
        self, handle: Handle[Blocking], owner: type
    ) -> Callable[P, Generator[T, None, None]]: ...
    @overload
    def __get__(
        self, handle: Handle[Awaiting], owner: type
    ) -> Callable[P, AsyncGenerator[T, None]]: ...
    def __get__(self, handle: Any, owner: type) -> Any:
        """Bind it to a handle."""
        return self if handle is None else self._bound(handle, handle.connection.iterate)


class dialogue(_Described[H, P, Dialogue], Generic[H, P]):
    """A method that describes a session: it returns a context in which that is open."""

    @overload
    def __get__(self, handle: None, owner: type) -> Self: ...
    @overload
    def __get__(
        self, handle: Handle[Blocking], owner: type
    ) -> Callable[P, AbstractContextManager[Session]]: ...
    @overload
    def __get__(
        self, handle: Handle[Awaiting], owner: type
    ) -> Callable[P, AbstractAsyncContextManager[AsyncSession]]: ...
    def __get__(self, handle: Any, owner: type) -> Any:
        """Bind it to a handle."""
        return self if handle is None else self._bound(handle, handle.connection.talk)
