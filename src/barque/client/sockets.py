"""Opening a WebSocket, blocking or in asyncio: it is there then, or refused as a request is."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from barque.client.background import Background
from barque.client.errors import Unreachable
from barque.client.work import Request

if TYPE_CHECKING:
    # It takes its time to import, and few programs open a session.
    from websockets.asyncio.client import ClientConnection as AsyncSocket

# Bytes of one message.
_LARGEST = 16 * 1024 * 1024
_CLOSING = 5.0
_UPGRADE_REQUIRED = 426


@dataclass(frozen=True, slots=True)
class BlockingSocket:
    """A WebSocket, and where what is done with it is carried out."""

    socket: "AsyncSocket"
    background: Background

    def close(self) -> None:
        """Close it."""
        try:
            self.background.carry(self.socket.close())
        finally:
            self.background.close()


def open_blocking(http: httpx.Client, request: Request) -> BlockingSocket | httpx.Response:
    """Open a WebSocket, or return the answer that refused it. Raises `httpx.TransportError`."""
    background = Background()
    try:
        found = background.carry(open_awaiting(http, request))
    except BaseException:
        background.close()
        raise
    if isinstance(found, httpx.Response):
        background.close()
        return found
    return BlockingSocket(found, background)


async def open_awaiting(
    http: httpx.Client | httpx.AsyncClient, request: Request
) -> "AsyncSocket | httpx.Response":
    """Open a WebSocket, or return the answer that refused it. Raises `httpx.TransportError`."""
    from websockets.asyncio.client import connect  # noqa: PLC0415 - see above

    with _refusals() as refused:
        return await connect(**_options(http, request))
    return refused[0]


def _options(http: httpx.Client | httpx.AsyncClient, request: Request) -> dict[str, Any]:
    query = {name: value for name, value in request.query.items() if value is not None}
    url = http.build_request("GET", request.path, params=query).url
    secure = url.scheme == "https"
    return {
        "uri": str(url.copy_with(scheme="wss" if secure else "ws")),
        "ssl": ssl.create_default_context() if secure else None,
        "additional_headers": {"X-API-Key": http.headers["X-API-Key"]},
        "open_timeout": http.timeout.connect, "close_timeout": _CLOSING,
        "compression": None, "max_size": _LARGEST,
        # The platform keeps the connection alive, and one that is read slowly answers late.
        "ping_interval": None,
    }  # fmt: skip


@contextmanager
def _refusals() -> Iterator[list[httpx.Response]]:
    """Have a handshake that fails end as a request does that fails; give the answer, if any."""
    from websockets.exceptions import InvalidHandshake, InvalidStatus  # noqa: PLC0415 - see above

    refused: list[httpx.Response] = []
    try:
        yield refused
    except InvalidStatus as error:
        said = error.response
        if said.status_code < 400 or said.status_code == _UPGRADE_REQUIRED:
            raise _no_sockets() from error
        headers = list(said.headers.raw_items())
        refused.append(
            httpx.Response(said.status_code, headers=headers, content=bytes(said.body or b""))
        )
    except InvalidHandshake as error:
        raise _no_sockets() from error
    except OSError as error:
        # A time-out is one as well.
        raise httpx.ConnectError(str(error) or "it took too long") from error


def _no_sockets() -> Unreachable:
    return Unreachable(
        "what answers there opens no WebSocket: a proxy in front of the platform has to pass on "
        "the headers Upgrade and Connection"
    )
