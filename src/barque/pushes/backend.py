"""Git's own HTTP server, `git http-backend`, run for each request and streamed both ways."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any

import structlog

from barque.errors import BarqueError
from barque.pushes.conversation import Conversation

Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]

_CHUNK = 64 * 1024
_HEADER_LIMIT = 64 * 1024

log = structlog.get_logger()


async def serve(
    environment: Mapping[str, str],
    receive: Receive,
    send: Send,
    attend: Callable[[Conversation], Awaitable[None]],
) -> None:
    """Answer a request as the backend does; `attend` talks to the hooks of a push meanwhile.

    A client that leaves while it still sends ends the backend; one that leaves later does not, so
    that what it pushed comes to its end. Raises `BarqueError` when the backend says nothing.
    """
    talk = Conversation()
    try:
        process = await asyncio.create_subprocess_exec(
            "git", "http-backend",
            env={**environment, **talk.environment}, pass_fds=talk.theirs, start_new_session=True,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
    finally:
        await talk.begin()
    assert process.stderr is not None  # noqa: S101 - a pipe was asked for
    feeding = asyncio.ensure_future(_feed(process, receive))
    complaining = asyncio.ensure_future(process.stderr.read())
    attending = asyncio.ensure_future(attend(talk))
    tasks = (feeding, complaining, attending)
    try:
        if not await _pass_on(process, send):
            complaint = (await complaining).decode(errors="replace")[-500:]
            log.error("git http-backend said nothing", said=complaint)
            raise BarqueError("git failed here, and what it said is logged: try again")
        await process.wait()
        # The hooks are gone, and with them the last question.
        await attending
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        _kill(process)
        await process.wait()
        talk.close()


async def _feed(process: asyncio.subprocess.Process, receive: Receive) -> None:
    """Hand the request's body on."""
    assert process.stdin is not None  # noqa: S101 - a pipe was asked for
    more = True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            # What is half sent must not be taken for all there is.
            _kill(process)
            return
        more = message.get("more_body", False)
        with contextlib.suppress(ConnectionError):
            process.stdin.write(message.get("body", b""))
            await process.stdin.drain()
    with contextlib.suppress(ConnectionError):
        process.stdin.close()


async def _pass_on(process: asyncio.subprocess.Process, send: Send) -> bool:
    """Send the backend's answer. Returns whether there was one."""
    assert process.stdout is not None  # noqa: S101 - a pipe was asked for
    said = b""
    while b"\r\n\r\n" not in said:
        chunk = await process.stdout.read(_CHUNK)
        if not chunk or len(said) > _HEADER_LIMIT:
            return False
        said += chunk
    head, _, body = said.partition(b"\r\n\r\n")
    headers = [
        (name.strip().lower(), value.strip())
        for name, _, value in (line.partition(b":") for line in head.split(b"\r\n"))
    ]
    status = int(dict(headers).get(b"status", b"200")[:3])
    await send(
        {
            "type": "http.response.start", "status": HTTPStatus(status),
            "headers": [(name, value) for name, value in headers if name != b"status"],
        }
    )  # fmt: skip
    while body or not process.stdout.at_eof():
        await send({"type": "http.response.body", "body": body, "more_body": True})
        body = await process.stdout.read(_CHUNK)
    await send({"type": "http.response.body", "body": b"", "more_body": False})
    return True


def _kill(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
