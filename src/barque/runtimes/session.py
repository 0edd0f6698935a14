"""A program in a container with its input and output open, over the Docker Engine's API."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from barque.names import new_id
from barque.runtimes.hijack import Streams, hijack
from barque.runtimes.output import frames
from barque.runtimes.port import RuntimeRefused, RuntimeUnavailable, Size

_CHUNK = 65536
_POLL = 0.05
# Seconds that the engine may take to start one.
_START = 60
# The first line is the number of its session. It waits for a line then, so that nothing is written
# before that is read, and a terminal has its size before anything looks at it.
_NUMBERED = 'echo $$; read -r _; exec /bin/sh -c "$1"'
# In a container of its own, others may write before it: it asks for the size until there is one.
SIZED = """
_n=0
while command -v stty >/dev/null && { _s=$(stty size 2>/dev/null); [ -z "${_s#0 0}" ]; } &&
  [ $_n -lt 50 ]; do _n=$((_n + 1)); sleep 0.1; done
unset _n _s
"""
# The engine never ends what it started so: whatever is of the session's number, or inherited its
# mark, is told of the end as on a terminal that hangs up, and killed a second later. What ends
# slowly, or starts others meanwhile, is met again; a dead process may wait for its parent for ever.
_END = """
number=$1 mark=$2
all() {
  for one in /proc/[0-9]*; do
    read -r stat <"$one/stat" || continue
    set -- ${stat##*) }
    [ "$1" = Z ] && continue
    if [ "$4" = "$number" ] || grep -q "$mark" "$one/environ"; then
      kill -s "$signal" "${one#/proc/}" && found=1
    fi
  done
}
{
  signal=HUP; all
  signal=CONT; all
  sleep 1
  signal=KILL
  for _ in 1 2 3 4 5 6 7 8 9 10; do found=0; all; [ $found = 0 ] && break; done
} 2>/dev/null
"""
_MARK = "BARQUE_SESSION"

Ask = Callable[..., Awaitable[Any]]
Translated = Callable[[], AbstractAsyncContextManager[None]]


@dataclass(frozen=True, slots=True)
class Engine:
    """How a session speaks to the engine: where it is, asking it, and the names of its errors."""

    host: str
    ask: Ask
    translated: Translated


class DockerSession:
    """A program's input and output; `path` is that of what can be resized."""

    def __init__(self, engine: Engine, streams: Streams, path: str, terminal: bool) -> None:
        self._engine = engine
        self._reader, self._writer = streams
        self._path = path
        self._terminal = terminal
        self._raw = b""
        self._ready: list[tuple[int, bytes]] = []

    async def read(self) -> tuple[int, bytes] | None:
        """Read what comes next (see `Session`); nothing is lost where this is cancelled."""
        while not self._ready:
            async with self._engine.translated():
                chunk = await self._reader.read(_CHUNK)
            if not chunk:
                return None
            if self._terminal:
                return 1, chunk
            self._ready, self._raw = frames(self._raw + chunk)
        return self._ready.pop(0)

    async def write(self, data: bytes) -> None:
        """Write to its input, waiting for it to take that."""
        async with self._engine.translated():
            self._writer.write(data)
            await self._writer.drain()

    async def end_input(self) -> None:
        """Say that nothing more comes; a terminal has no such end."""
        if not self._terminal:
            async with self._engine.translated():
                self._writer.write_eof()

    async def resize(self, size: Size) -> None:
        """Set the size of its terminal."""
        rows, columns = size
        if self._terminal:
            # What has ended in this moment has no size.
            with suppress(RuntimeRefused):
                await self._engine.ask("POST", f"{self._path}/resize", h=str(rows), w=str(columns))

    async def exit_code(self) -> int | None:
        """Return its exit code once it has ended, None where that is not known any more."""
        try:
            # Its output ends before it does.
            while (state := _of(await self._engine.ask("GET", f"{self._path}/json")))["Running"]:  # noqa: ASYNC110
                await asyncio.sleep(_POLL)
        except RuntimeRefused:
            return None
        return int(state["ExitCode"])

    async def skip_line(self) -> bytes:
        """Take the first line of the output, and return it; what follows is read next."""
        said = b""
        while b"\n" not in said and (found := await self.read()) is not None:
            said += found[1]
        line, end, rest = said.partition(b"\n")
        self.unread(rest)
        return line + end

    def unread(self, data: bytes) -> None:
        """Have these bytes read next."""
        if data:
            self._ready.insert(0, (1, data))


def _of(found: Any) -> Any:
    """Return what tells the state of a command, or of a container."""
    return found.get("State", found)


@asynccontextmanager
async def command_session(
    engine: Engine, name: str, command: str, size: Size | None
) -> AsyncIterator[DockerSession]:
    """Run a command in a container that runs (see `Runtime.open_exec`)."""
    mark, terminal = f"{_MARK}={new_id()}", size is not None
    body = {
        "Cmd": ["/bin/sh", "-c", _NUMBERED, "sh", command],
        "Env": [mark], "Tty": terminal,
        "AttachStdin": True, "AttachStdout": True, "AttachStderr": True,
    }  # fmt: skip
    path = f"exec/{(await engine.ask('POST', f'containers/{name}/exec', body))['Id']}"
    async with _attached(engine, f"{path}/start", {"Detach": False, "Tty": terminal}) as streams:
        session = DockerSession(engine, streams, path, terminal)
        number = await _number_of(session)
        try:
            if number:
                await _begin(session, size)
            yield session
        finally:
            # Also where whoever waits for this is cancelled.
            await asyncio.shield(_end(engine, name, path, number, mark))


async def _number_of(session: DockerSession) -> str:
    """Return the number that a command writes first; where it has none, the engine complains."""
    try:
        async with asyncio.timeout(_START):
            line = await session.skip_line()
    except TimeoutError:
        raise RuntimeUnavailable("the engine did not start the command in a minute") from None
    number = line.strip().decode(errors="replace")
    if number.isdecimal():
        return number
    session.unread(line)
    return ""


async def _begin(session: DockerSession, size: Size | None) -> None:
    if size is not None:
        await session.resize(size)
    await session.write(b"\n")
    if size is not None:
        # The terminal echoes it.
        await session.skip_line()


async def _end(engine: Engine, name: str, path: str, number: str, mark: str) -> None:
    """End a command that runs still, and all that it started, without waiting for that."""
    # The container, and the command with it, may have ended meanwhile.
    with suppress(RuntimeRefused, RuntimeUnavailable):
        if number and (await engine.ask("GET", f"{path}/json"))["Running"]:
            body = {"Cmd": ["/bin/sh", "-c", _END, "sh", number, mark]}
            made = await engine.ask("POST", f"containers/{name}/exec", body)
            await engine.ask("POST", f"exec/{made['Id']}/start", {"Detach": True})


@asynccontextmanager
async def container_session(
    engine: Engine, name: str, size: Size | None
) -> AsyncIterator[DockerSession]:
    """Start a container that was made to be attached to (see `Runtime.open_container`)."""
    path = f"containers/{name}"
    attach = f"{path}/attach?stream=1&stdin=1&stdout=1&stderr=1"
    async with _attached(engine, attach) as streams:
        session = DockerSession(engine, streams, path, size is not None)
        await engine.ask("POST", f"{path}/start")
        if size is not None:
            await session.resize(size)
        yield session


@asynccontextmanager
async def _attached(engine: Engine, path: str, body: Any = None) -> AsyncIterator[Streams]:
    async with engine.translated():
        reader, writer = await hijack(engine.host, path, body)
    try:
        yield reader, writer
    finally:
        writer.close()
