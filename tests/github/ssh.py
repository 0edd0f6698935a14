"""A host of repositories that is reached by SSH: a real peer for the real `ssh`."""

import asyncio
import shlex
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncssh


@dataclass
class SshHost:
    """Serves repositories below `root` to the keys in `allowed`, and says who came."""

    root: Path
    port: int = 0
    allowed: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)


class _Gate(asyncssh.SSHServer):
    def __init__(self, host: SshHost) -> None:
        self._host = host

    def begin_auth(self, username: str) -> bool:
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        shown = key.export_public_key().decode().split()[:2]
        return username == "git" and shown in [one.split()[:2] for one in self._host.allowed]


async def _copy(source: Any, target: Any) -> None:
    while part := await source.read(65536):
        target.write(part)


@contextmanager
def serving_ssh(root: Path) -> Iterator[SshHost]:
    host = SshHost(root)
    loop = asyncio.new_event_loop()

    async def serve(process: asyncssh.SSHServerProcess[bytes]) -> None:
        program, path = shlex.split(process.command or "")
        host.asked.append(path)
        serving = await asyncio.create_subprocess_exec(
            program, str(root / path.strip("/")), stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        asking = asyncio.create_task(_copy(process.stdin, serving.stdin))
        await _copy(serving.stdout, process.stdout)
        asking.cancel()
        process.exit(await serving.wait())

    async def listen() -> asyncssh.SSHAcceptor:
        return await asyncssh.listen(
            "127.0.0.1", 0, server_factory=lambda: _Gate(host), process_factory=serve,
            server_host_keys=[asyncssh.generate_private_key("ssh-ed25519")], encoding=None,
        )  # fmt: skip

    async def end() -> None:
        listening.close()
        await listening.wait_closed()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    listening = loop.run_until_complete(listen())
    host.port = listening.get_port()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield host
    finally:
        asyncio.run_coroutine_threadsafe(end(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
