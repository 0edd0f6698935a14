"""Starting and stopping the platform as a program."""

import asyncio
import contextlib
import os
import signal
import time

import structlog
import uvicorn

from barque.app import create_app
from barque.platform import Platform
from barque.routing.haproxy import HAProxyRouter
from barque.running import announce, running
from barque.runtimes.docker import DockerRuntime
from barque.runtimes.port import Runtime
from barque.settings import DEFAULT_ENGINE, Settings
from barque.vault import Vault, load_master_key

_PATIENCE = 60.0
_PRIORITY = 10
# Bytes of one message on a WebSocket.
_MESSAGE = 1024 * 1024


def run(settings: Settings) -> None:
    """Serve until SIGTERM or Ctrl-C. Services go on being served afterwards."""
    configure_log()
    _give_way()
    app = create_app(Platform(settings))
    announce(settings)
    uvicorn.run(
        app, host=settings.host, port=settings.port, log_level=settings.log_level,
        access_log=False, timeout_graceful_shutdown=2,
        # A session keeps its connection alive by itself: one whose reader is slow must not end for
        # an answer to a ping that is behind what is still to be read.
        ws="websockets-sansio", ws_ping_interval=None, ws_max_size=_MESSAGE,
        ws_per_message_deflate=False,
    )  # fmt: skip


def configure_log() -> None:
    """Have tracebacks name lines only: the values of variables hold keys and secrets."""
    plain = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*structlog.get_config()["processors"][:-1], plain])


def _give_way() -> None:
    """Let what is served go before the platform's own work, unless the router had to as well."""
    with contextlib.suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, -1)
        os.setpriority(os.PRIO_PROCESS, 0, _PRIORITY)


def down(settings: Settings) -> None:
    """Stop the platform if it runs, then the router and every container."""
    pid = running(settings)
    if pid is not None:
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + _PATIENCE
        while running(settings) == pid and time.monotonic() < deadline:
            time.sleep(0.1)
    asyncio.run(_stop_what_serves(settings))


async def _stop_what_serves(settings: Settings) -> None:
    router = HAProxyRouter(settings.data_dir / "router", settings.apps_host, settings.apps_port)
    await router.stop()
    vault = Vault(load_master_key(settings.master_key_file, settings.secret_key))
    runtime = DockerRuntime(settings.docker_host or DEFAULT_ENGINE)
    names = await runtime.containers({"barque.platform": vault.identity()})
    await asyncio.gather(*(_stop(runtime, name, settings.stop_timeout) for name in names))
    await runtime.aclose()


async def _stop(runtime: Runtime, name: str, timeout: int) -> None:
    # The next start of the platform is what starts it again, not the engine.
    await runtime.keep_running(name, False)
    await runtime.stop(name, timeout)
