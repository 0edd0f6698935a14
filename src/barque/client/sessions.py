"""Sessions: a program in a container, with its input and output here, over a WebSocket.

What is said on it is in `docs/how-to/terminal.md`; here it is told once, for blocking and asyncio.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from barque.client.background import Background
from barque.client.errors import ApiError, Unreachable
from barque.client.work import Request

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection as AsyncSocket

# A platform that is there says so every 15 seconds.
_SILENCE = 60.0
_PIECE = 65536
_ERROR_OUTPUT = 2
_BROKE = (
    "the connection to the platform broke, and what ran in the session is ended there: open another"
)


@dataclass(frozen=True, slots=True)
class Dialogue:
    """What opens a session: a request for the socket, and the command; None is a shell."""

    request: Request
    command: str | None


@dataclass(frozen=True, slots=True)
class Output:
    """What a program wrote: to its standard output, or to that for errors."""

    data: bytes
    is_error: bool = False


def beginning(command: str | None) -> str:
    """Return the first message."""
    return json.dumps({"command": command})


def _size(rows: int, columns: int) -> str:
    return json.dumps({"resize": [rows, columns]})


_END_OF_INPUT = json.dumps({"end_of_input": True})


def _pieces(data: bytes) -> Iterator[bytes]:
    return (data[at : at + _PIECE] for at in range(0, len(data), _PIECE))


@dataclass
class _Heard:
    """What came of a session so far."""

    exit_code: int | None = None

    def hear(self, message: str | bytes) -> Iterator[Output]:
        """Take a message; of the last, note the exit code. Raises `ApiError` for a failure."""
        if isinstance(message, bytes):
            yield Output(message[1:], message[0] == _ERROR_OUTPUT)
            return
        said: dict[str, Any] = json.loads(message)
        if error := said.get("error"):
            raise ApiError(error["status"], error["message"], error.get("errors", []))
        self.exit_code = said.get("exit_code", self.exit_code)


class AsyncSession:
    """A program that runs; iterate over what it writes, to its end.

    Another task may send meanwhile. Raises `ApiError` when the platform ends it, and `Unreachable`
    when the connection breaks.
    """

    def __init__(self, socket: "AsyncSocket") -> None:
        self._socket = socket
        self._heard = _Heard()

    @property
    def exit_code(self) -> int | None:
        """Its exit code, once its output has ended."""
        return self._heard.exit_code

    async def send(self, data: bytes) -> None:
        """Write to its input, waiting until there is room; what has ended takes nothing."""
        for piece in _pieces(data):
            await self._say(piece)

    async def resize(self, rows: int, columns: int) -> None:
        """Set the size of its terminal."""
        await self._say(_size(rows, columns))

    async def end_input(self) -> None:
        """Say that no more input comes."""
        await self._say(_END_OF_INPUT)

    async def __aiter__(self) -> AsyncGenerator[Output]:
        """Give what it writes, as it comes."""
        from websockets.exceptions import ConnectionClosed  # noqa: PLC0415 - see sockets.py

        while self.exit_code is None:
            try:
                async with asyncio.timeout(_SILENCE):
                    message = await self._socket.recv()
            except (ConnectionClosed, TimeoutError):
                raise Unreachable(_BROKE) from None
            for output in self._heard.hear(message):
                yield output

    async def _say(self, message: str | bytes) -> None:
        from websockets.exceptions import ConnectionClosed  # noqa: PLC0415 - see sockets.py

        # Whoever reads is told how it ended.
        with suppress(ConnectionClosed):
            await self._socket.send(message)


class Session:
    """The same as `AsyncSession` for whoever blocks; another thread may send meanwhile."""

    def __init__(self, session: AsyncSession, background: Background) -> None:
        self._session = session
        self._background = background

    @property
    def exit_code(self) -> int | None:
        """Its exit code, once its output has ended."""
        return self._session.exit_code

    def send(self, data: bytes) -> None:
        """Write to its input, waiting until there is room; what has ended takes nothing."""
        self._background.carry(self._session.send(data))

    def resize(self, rows: int, columns: int) -> None:
        """Set the size of its terminal."""
        self._background.carry(self._session.resize(rows, columns))

    def end_input(self) -> None:
        """Say that no more input comes."""
        self._background.carry(self._session.end_input())

    def __iter__(self) -> Iterator[Output]:
        """Give what it writes, as it comes."""
        outputs = aiter(self._session)

        async def following() -> Output | None:
            return await anext(outputs, None)

        while (output := self._background.carry(following())) is not None:
            yield output
