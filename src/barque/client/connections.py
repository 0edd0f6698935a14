"""The two ways to do work: blocking, and in asyncio. All rules are in `barque.client.work`."""

import asyncio
import ssl
import time
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from contextlib import aclosing, asynccontextmanager, closing, contextmanager
from typing import Any, TypeVar

import httpx

from barque.client.addresses import BadAddress
from barque.client.sessions import AsyncSession, Dialogue, Session, beginning
from barque.client.sockets import BlockingSocket, open_awaiting, open_blocking
from barque.client.work import (
    Do,
    Give,
    OnAway,
    Open,
    Read,
    Request,
    Retries,
    Send,
    Step,
    Stream,
    Wait,
    Work,
    ignore_absence,
    opening,
)

T = TypeVar("T")


def _options(url: str, key: str, timeout: float) -> dict[str, Any]:
    if not url.startswith(("http://", "https://")):
        raise BadAddress(f"'{url}' is no address of a platform: write http://host:port")
    # Reading the machine's certificates takes longer than most requests: only for TLS.
    verify = url.startswith("https:") or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return {
        "base_url": url.rstrip("/"), "headers": {"X-API-Key": key}, "timeout": timeout,
        "verify": verify,
    }  # fmt: skip


def _built(http: httpx.Client | httpx.AsyncClient, request: Request, content: Any) -> httpx.Request:
    query = {name: value for name, value in request.query.items() if value is not None}
    options: dict[str, Any] = {"timeout": request.timeout} if request.timeout else {}
    if content is not None:
        options["content"] = content
    elif request.body is not None:
        options["json"] = request.body
    return http.build_request(
        request.method, request.path, params=query, headers=request.headers, **options
    )


def _next(work: Stream[T], said: Any, error: Exception | None) -> Step | Give[T] | None:
    """Return what some work wants next, told what came of the last step; None at its end."""
    try:
        return work.throw(error) if error is not None else work.send(said)
    except StopIteration:
        return None


def _given(work: Work[T]) -> Stream[T]:
    yield Give((yield from work))


class _Steps:
    """Does the steps of one piece of work; of its streams, one at a time is open."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http
        self._open: httpx.Response | None = None
        self._chunks: Iterator[bytes] = iter(())

    def do(self, step: Step) -> Any:
        match step:
            case Send(request, stream):
                return self._send(request, stream)
            case Open(request):
                return open_blocking(self._http, request)
            case Read():
                return next(self._chunks, None)
            case Wait(seconds):
                return time.sleep(seconds)
            case Do(function):
                return function()

    def _send(self, request: Request, stream: bool) -> httpx.Response:
        self.close()
        content = request.content() if request.content else None
        answer = self._http.send(_built(self._http, request, content), stream=stream)
        if stream and answer.is_error:
            answer.read()
        elif stream:
            self._open, self._chunks = answer, answer.iter_bytes()
        return answer

    def close(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None


class Blocking:
    """A connection whose work is done when its methods return."""

    def __init__(
        self, url: str, key: str, timeout: float, retries: Retries,
        on_away: OnAway = ignore_absence,
    ) -> None:  # fmt: skip
        self.retries = retries
        self.on_away = on_away
        self._http = httpx.Client(**_options(url, key, timeout))

    def carry(self, work: Work[T]) -> T:
        """Do some work, and return what comes of it."""
        with closing(self.iterate(_given(work))) as items:
            return next(items)

    def iterate(self, work: Stream[T]) -> Generator[T, None, None]:
        """Do some work, and give its items as they come."""
        said, error = None, None
        with closing(_Steps(self._http)) as steps, closing(work):
            while (step := _next(work, said, error)) is not None:
                said, error = None, None
                if isinstance(step, Give):
                    yield step.item
                    continue
                try:
                    said = steps.do(step)
                except Exception as failure:  # The work knows what to do about it.
                    error = failure

    @contextmanager
    def talk(self, dialogue: Dialogue) -> Iterator[Session]:
        """Open a session, which ends with the block: so does what runs in it."""
        opened: BlockingSocket = self.carry(opening(dialogue.request, self.retries))
        with closing(opened):
            opened.background.carry(opened.socket.send(beginning(dialogue.command)))
            yield Session(AsyncSession(opened.socket), opened.background)

    def close(self) -> None:
        """Close what is open."""
        self._http.close()


class _AsyncSteps:
    """Does the steps of one piece of work in asyncio; of its streams, one at a time is open."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http
        self._open: httpx.Response | None = None
        self._chunks: AsyncIterator[bytes] = _read(iter(()))

    async def do(self, step: Step) -> Any:
        match step:
            case Send(request, stream):
                return await self._send(request, stream)
            case Open(request):
                return await open_awaiting(self._http, request)
            case Read():
                return await anext(self._chunks, None)
            case Wait(seconds):
                return await asyncio.sleep(seconds)
            case Do(function):
                return await asyncio.to_thread(function)

    async def _send(self, request: Request, stream: bool) -> httpx.Response:
        await self.aclose()
        content = _read(request.content()) if request.content else None
        answer = await self._http.send(_built(self._http, request, content), stream=stream)
        if stream and answer.is_error:
            await answer.aread()
        elif stream:
            self._open, self._chunks = answer, answer.aiter_bytes()
        return answer

    async def aclose(self) -> None:
        if self._open is not None:
            await self._open.aclose()
            self._open = None


async def _read(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    while (chunk := await asyncio.to_thread(next, chunks, None)) is not None:
        yield chunk


class Awaiting:
    """A connection whose work is done when it was awaited."""

    def __init__(
        self, url: str, key: str, timeout: float, retries: Retries,
        on_away: OnAway = ignore_absence,
    ) -> None:  # fmt: skip
        self.retries = retries
        self.on_away = on_away
        self._http = httpx.AsyncClient(**_options(url, key, timeout))

    async def carry(self, work: Work[T]) -> T:
        """Do some work, and return what comes of it."""
        async with aclosing(self.iterate(_given(work))) as items:
            return await anext(items)

    async def iterate(self, work: Stream[T]) -> AsyncGenerator[T, None]:
        """Do some work, and give its items as they come."""
        said, error = None, None
        async with aclosing(_AsyncSteps(self._http)) as steps:
            with closing(work):
                while (step := _next(work, said, error)) is not None:
                    said, error = None, None
                    if isinstance(step, Give):
                        yield step.item
                        continue
                    try:
                        said = await steps.do(step)
                    except Exception as failure:  # The work knows what to do about it.
                        error = failure

    @asynccontextmanager
    async def talk(self, dialogue: Dialogue) -> AsyncIterator[AsyncSession]:
        """Open a session, which ends with the block: so does what runs in it."""
        socket = await self.carry(opening(dialogue.request, self.retries))
        try:
            await socket.send(beginning(dialogue.command))
            yield AsyncSession(socket)
        finally:
            await socket.close()

    async def close(self) -> None:
        """Close what is open."""
        await self._http.aclose()
