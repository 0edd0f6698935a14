"""A connection to the engine that it hands over: bytes both ways, for a program's input and output.

HTTP is spoken on it once; after that, whoever reads slowly is waited for, in either direction.
"""

import asyncio
from typing import Any
from urllib.parse import urlsplit

import msgspec

from barque.runtimes.port import RuntimeRefused

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]

# Until then, the engine answers in HTTP.
_HANDED_OVER = (101, 200)


async def hijack(host: str, path: str, body: Any = None) -> Streams:
    """Have the engine at `host` hand a connection over. Raises `RuntimeRefused` and `OSError`."""
    reader, writer = await _connect(host)
    try:
        data = msgspec.json.encode(body) if body is not None else b""
        writer.write(
            f"POST /{path} HTTP/1.1\r\nHost: docker\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n".encode()
        )
        writer.write(data)
        await _handed_over(reader)
    except BaseException:
        writer.close()
        raise
    return reader, writer


async def _connect(host: str) -> Streams:
    if host.startswith("unix://"):
        return await asyncio.open_unix_connection(host.removeprefix("unix://"))
    address = urlsplit(host)
    return await asyncio.open_connection(address.hostname, address.port)


async def _handed_over(reader: asyncio.StreamReader) -> None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError:
        raise ConnectionError("the engine hung up") from None
    status = int(head.split(" ", 2)[1])
    if status not in _HANDED_OVER:
        raise RuntimeRefused(_message(await reader.read(65536)))


def _message(said: bytes) -> str:
    try:
        return str(msgspec.json.decode(said)["message"])
    except (msgspec.DecodeError, KeyError, TypeError):
        return said.decode(errors="replace").strip()
