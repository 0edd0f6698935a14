"""Sessions over a WebSocket: called like any endpoint, and refused like one, with a JSON error."""

import asyncio
from contextlib import suppress
from time import perf_counter
from typing import Any

from litestar import Request, Response, WebSocket, get, websocket
from litestar.handlers import HTTPRouteHandler, WebsocketRouteHandler

from barque.errors import ErrorAnswer
from barque.http import Endpoint, Left, Talk, encode, pattern, run
from barque.platform import Platform
from barque.refusals import refusal

_JSON = "application/json"
_GONE = 5.0


class CallersSocket:
    """The socket of a caller, as ASGI has it (see `Socket`)."""

    def __init__(self, receive: Any, send: Any) -> None:
        self._receive = receive
        self._send = send

    async def receive(self) -> bytes | str:
        """Wait for the next message: bytes, or text. Raises `Left`."""
        message = await self._receive()
        if message["type"] != "websocket.receive":
            raise Left
        data, text = message.get("bytes"), message.get("text")
        found: bytes | str = text if data is None else data
        return found

    async def send(self, message: bytes | str) -> None:
        """Send a message, waiting for a caller that reads slowly. Raises `Left`."""
        kind = "text" if isinstance(message, str) else "bytes"
        try:
            await self._send({"type": "websocket.send", kind: message})
        except OSError:
            raise Left from None


class RawSocket(WebSocket[Any, Any, Any]):
    """Litestar's socket, passing on what ASGI says as it is."""

    def receive_wrapper(self, receive: Any) -> Any:
        """Return `receive` itself."""
        return receive

    def send_wrapper(self, send: Any) -> Any:
        """Return `send` itself."""
        return send


def session_handlers(
    path: str, endpoint: Endpoint, platform: Platform
) -> tuple[WebsocketRouteHandler, HTTPRouteHandler]:
    """Return the handlers of a session's path: of its WebSocket, and of what asks for none."""

    @websocket(pattern(path), websocket_class=RawSocket)
    async def answer(socket: WebSocket[Any, Any, Any]) -> None:
        # A page of another site can open a WebSocket with the cookie of whoever looks at it: it
        # counts as a request that changes something, which has to prove where it comes from.
        handshake: Any = {**socket.scope, "type": "http", "method": "POST"}
        request: Request[Any, Any, Any] = Request(handshake)
        talk = await _called(endpoint, platform, request, socket)
        if talk is not None:
            await _converse(talk, endpoint, socket)

    @get(pattern(path))
    async def refuse() -> Response[bytes]:
        said = ErrorAnswer(426, "this is a WebSocket: ask for an upgrade to one (RFC 6455)")
        return Response(
            encode(said), status_code=426, media_type=_JSON, headers={"Upgrade": "websocket"}
        )

    return answer, refuse


async def _called(
    endpoint: Endpoint, platform: Platform, request: Request[Any, Any, Any],
    socket: WebSocket[Any, Any, Any],
) -> Talk | None:  # fmt: skip
    """Call the endpoint; where it refuses, say so, and return nothing."""
    begun, status = perf_counter(), endpoint.status
    try:
        return (await run(endpoint, platform, request)).session
    except Exception as error:
        said, headers = refusal(error, endpoint.method, request.url.path)
        status = said.status
        await _refuse(socket, said, headers)
        return None
    finally:
        platform.requests.observe(endpoint.name, status, perf_counter() - begun)


async def _refuse(
    socket: WebSocket[Any, Any, Any], said: ErrorAnswer, headers: dict[str, str]
) -> None:
    told = {"content-type": _JSON, **headers}
    start: Any = {
        "type": "websocket.http.response.start", "status": said.status,
        "headers": [(name.lower().encode(), value.encode()) for name, value in told.items()],
    }  # fmt: skip
    body: Any = {"type": "websocket.http.response.body", "body": encode(said), "more_body": False}
    with suppress(OSError, TimeoutError):
        await socket.send(start)
        await socket.send(body)
        # To uvicorn a handshake is no complete one, and a fault to be logged, until the refused
        # connection is gone: it tells of the connection, of the refusal and of that.
        async with asyncio.timeout(_GONE):
            for _ in range(3):
                await socket.receive()


async def _converse(talk: Talk, endpoint: Endpoint, raw: WebSocket[Any, Any, Any]) -> None:
    """Open the socket and talk on it; whatever goes wrong is told there, before it closes."""
    socket = CallersSocket(raw.receive, raw.send)
    try:
        await raw.accept()
        try:
            await talk(socket)
        except Left:
            raise
        except Exception as error:
            said, _ = refusal(error, endpoint.method, endpoint.path)
            await socket.send(encode({"error": said}).decode())
        await raw.close()
    except (Left, OSError):
        return
