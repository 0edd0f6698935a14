"""Sessions: what a caller types goes to a program in a container, and what that writes comes back.

What is said on the socket is in `docs/how-to/terminal.md`.
"""

import asyncio
from collections.abc import Coroutine
from contextlib import AbstractAsyncContextManager
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from barque.bodies import decode
from barque.config.masking import Masker
from barque.errors import Conflict, Invalid
from barque.http import Socket
from barque.runtimes.port import SHELL, RuntimeRefused, RuntimeUnavailable, Session

Rows = Annotated[int, Meta(ge=1, le=1000)]
Columns = Annotated[int, Meta(ge=1, le=1000)]

_FIRST = 30.0
_BEAT = 15.0
# Seconds of silence after which nothing more is held: shorter than people notice.
_QUIET = 0.05
_ENDING = 5.0
_encode = msgspec.json.encode


class Begin(msgspec.Struct, forbid_unknown_fields=True):
    """The first that a caller says: the command, or null for a shell."""

    command: Annotated[str, Meta(min_length=1, max_length=32_768)] | None = None


class Control(msgspec.Struct, forbid_unknown_fields=True):
    """What a caller says beside input: the terminal's new size, or that no more input comes."""

    resize: tuple[Rows, Columns] | UnsetType = UNSET
    end_of_input: bool = False


class Sessions:
    """The sessions that are open, which end before the platform does."""

    def __init__(self) -> None:
        self._open: set[asyncio.Task[Any]] = set()

    async def hold(self, conversation: Coroutine[Any, Any, None]) -> None:
        """Have a conversation, which is known here while it lasts."""
        task = asyncio.ensure_future(conversation)
        self._open.add(task)
        try:
            await task
        finally:
            self._open.discard(task)

    async def end(self) -> None:
        """End all of them, with what they run."""
        for task in self._open:
            task.cancel()
        if self._open:
            await asyncio.wait(self._open, timeout=_ENDING)


async def command_of(socket: Socket) -> str:
    """Wait for the command of a session. Raises `Invalid`, and `Left`."""
    try:
        async with asyncio.timeout(_FIRST):
            said = await socket.receive()
    except TimeoutError:
        said = b""
    if isinstance(said, bytes):
        raise Invalid.field("command", 'comes first, as text: {"command": "..."}')
    return decode(said.encode(), Begin).command or SHELL


async def converse(
    socket: Socket, opened: AbstractAsyncContextManager[Session], masker: Masker
) -> int | None:
    """Talk with a program to its end. Returns its exit code, None where its container is gone.

    Raises `Left`, which ends the program too, `Invalid`, `Conflict` and `RuntimeUnavailable`.
    """
    try:
        async with opened as session:
            return await _Conversation(socket, session, masker).carry_out()
    except RuntimeRefused as error:
        raise Conflict(f"the engine did not run it: {error}") from error


async def tell_end(socket: Socket, code: int) -> None:
    """Say how a program ended, which is the last that is said."""
    await socket.send(_encode({"exit_code": code}).decode())


class _Conversation:
    """One caller and one program."""

    def __init__(self, socket: Socket, session: Session, masker: Masker) -> None:
        self._socket = socket
        self._session = session
        self._masked = {1: masker.stream(), 2: masker.stream()}

    async def carry_out(self) -> int | None:
        output = asyncio.ensure_future(self._show_output())
        tasks = {output, asyncio.ensure_future(self._listen()), asyncio.ensure_future(self._beat())}
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return (output if output in done else done.pop()).result()

    async def _show_output(self) -> int | None:
        while True:
            try:
                async with asyncio.timeout(self._patience()):
                    found = await self._session.read()
            except TimeoutError:
                await self._let_go()
                continue
            if found is None:
                break
            kind, data = found
            await self._show(kind, self._masked[kind].feed(data))
        await self._let_go()
        return await self._session.exit_code()

    def _patience(self) -> float | None:
        return _QUIET if any(one.holds for one in self._masked.values()) else None

    async def _let_go(self) -> None:
        for kind, masked in self._masked.items():
            await self._show(kind, masked.rest())

    async def _show(self, kind: int, data: bytes) -> None:
        if data:
            await self._socket.send(bytes([kind]) + data)

    async def _listen(self) -> None:
        """Pass on what the caller says, until they leave."""
        while True:
            said = await self._socket.receive()
            try:
                await self._obey(said)
            except RuntimeUnavailable:
                # It takes no input any more; its output tells how it ended.
                continue

    async def _obey(self, said: bytes | str) -> None:
        if isinstance(said, bytes):
            await self._session.write(said)
            return
        control = decode(said.encode(), Control)
        if control.resize is not UNSET:
            await self._session.resize(control.resize)
        if control.end_of_input:
            await self._session.end_input()

    async def _beat(self) -> None:
        """Keep the connection alive, and notice when it is not, also amid what is written."""
        while True:
            await asyncio.sleep(_BEAT)
            await self._socket.send("{}")
