"""Running programs: line by line, and never longer than whoever waits for them."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Mapping, Sequence

_CHUNK = 64 * 1024


async def run_program(
    arguments: Sequence[str], environment: Mapping[str, str], say: Callable[[str], None]
) -> int:
    """Run a program, say each line of its output as it comes, and return its exit code.

    Both its outputs are read as one. When the call is cancelled, the program and all that it
    started are killed. Raises `FileNotFoundError` when there is no such program.
    """
    process = await asyncio.create_subprocess_exec(
        *arguments,
        env=dict(environment),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None  # noqa: S101 - a pipe was asked for
        rest = b""
        while chunk := await process.stdout.read(_CHUNK):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                say(line.decode(errors="replace").rstrip("\r"))
        if rest:
            say(rest.decode(errors="replace"))
        return await process.wait()
    finally:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        if process.returncode is None:
            await process.wait()
