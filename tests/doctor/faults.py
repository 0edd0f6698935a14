"""What breaks an installation, for a while, and what the doctor says of it then."""

import asyncio
import fcntl
import os
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from barque.doctor.check import Finding
from barque.doctor.examining import examine
from barque.settings import Settings

_NOBODY = 65534


async def look(settings: Settings) -> dict[str, Finding]:
    return {one.name: one for one in await examine(settings)}


@contextmanager
def as_nobody() -> Iterator[None]:
    """Have no more rights than a user to whom nothing belongs; who is none's root stays that."""
    own = os.geteuid()
    if own == 0:
        os.setresuid(_NOBODY, _NOBODY, own)
    try:
        yield
    finally:
        if own == 0:
            os.setresuid(own, own, own)


@contextmanager
def public_folder() -> Iterator[Path]:
    """Give a folder that everybody may look into, unlike those that pytest makes."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@contextmanager
def mounted(folder: Path, options: str) -> Iterator[None]:
    """Have a disk of its own at a folder."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", options, "none", str(folder)]
    subprocess.run(mount, check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@contextmanager
def running_without_serving(settings: Settings) -> Iterator[int]:
    """Have a process that is taken for the platform, and does nothing."""
    settings.data_dir.mkdir(exist_ok=True)
    with (settings.data_dir / "serve.pid").open("w+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write(str(os.getpid()))
        file.flush()
        yield os.getpid()


@asynccontextmanager
async def answering(port: int, answer: bytes) -> AsyncIterator[None]:
    """Have another program at a port, which gives the same answer to everything."""

    async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {len(answer)}\r\n\r\n"
        writer.write(head.encode() + answer)
        writer.close()

    async with await asyncio.start_server(reply, "127.0.0.1", port):
        yield
