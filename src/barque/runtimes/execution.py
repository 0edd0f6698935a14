"""A command in a container that runs, over the Docker Engine's API."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Any

from barque.runtimes.output import frames
from barque.runtimes.port import MOST_OUTPUT, RuntimeRefused

# The engine starts commands, and cannot end them: the first line that this one writes is the number
# by which it, and what it started, can be ended from within. It leads a group of its own. Both of
# its outputs are one, so that what is written first comes first.
_NUMBERED = 'exec 2>&1; echo $$; exec /bin/sh -c "$1"'
_END = 'kill -s KILL -- "-$1"'
_POLL = 0.05
# Seconds that the engine may take to start one.
_START = 60


def _now() -> float:
    return asyncio.get_running_loop().time()


class Execution:
    """One command in the container `name`, by the engine's own calls."""

    def __init__(
        self, name: str, ask: Callable[..., Awaitable[Any]],
        stream: Callable[..., AsyncIterator[bytes]],
    ) -> None:  # fmt: skip
        self._name = name
        self._ask = ask
        self._stream = stream
        self._said = bytearray()
        self._cut = False

    async def run(self, command: str, timeout: int) -> tuple[int | None, str]:
        """Run the command. Returns its exit code, None after `timeout`, and what it wrote."""
        execution, code = await self._make(_NUMBERED, command), None
        try:
            # The command's own time begins with the first that it writes: its number.
            async with asyncio.timeout(timeout + _START) as limit:
                await self._read(execution, lambda: limit.reschedule(_now() + timeout))
                code = await self._exit_code(execution)
        except TimeoutError:
            number = self._said.partition(b"\n")[0].decode(errors="replace")
            await self._end(number)
        return code, self._text()

    async def _make(self, script: str, argument: str) -> str:
        body = {
            "Cmd": ["/bin/sh", "-c", script, "sh", argument],
            "AttachStdout": True, "AttachStderr": True,
        }  # fmt: skip
        made = await self._ask("POST", f"containers/{self._name}/exec", body)
        return str(made["Id"])

    async def _read(self, execution: str, begun: Callable[[], None]) -> None:
        rest, body = b"", {"Detach": False, "Tty": False}
        async for chunk in self._stream(f"exec/{execution}/start", {}, method="POST", body=body):
            whole, rest = frames(rest + chunk)
            if whole and not self._said:
                begun()
            for _, said in whole:
                room = MOST_OUTPUT - len(self._said)
                self._said += said[:room]
                self._cut = self._cut or len(said) > room

    async def _exit_code(self, execution: str) -> int:
        # Its output ends a little before it does.
        while (found := await self._ask("GET", f"exec/{execution}/json"))["Running"]:  # noqa: ASYNC110
            await asyncio.sleep(_POLL)
        return int(found["ExitCode"])

    async def _end(self, number: str) -> None:
        if number.isdecimal():
            # The container may have ended meanwhile, and the command with it.
            with suppress(RuntimeRefused):
                ending = await self._make(_END, number)
                await self._ask("POST", f"exec/{ending}/start", {"Detach": True})

    def _text(self) -> str:
        number, _, said = bytes(self._said).partition(b"\n")
        if not number.isdigit():
            # There was no shell to write it: that is what the engine says.
            said = bytes(self._said)
        if self._cut:
            # Half a line may end amid what is secret, and then nobody would know it.
            said = said[: said.rfind(b"\n") + 1] + b"(what it wrote after that is not shown)\n"
        return said.decode(errors="replace").replace("\r\n", "\n")
