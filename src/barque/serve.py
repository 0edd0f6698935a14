"""Starting and stopping the platform as a program."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
import time

import structlog
import uvicorn

from barque.app import create_app
from barque.platform import Platform
from barque.routing.haproxy import HAProxyRouter
from barque.running import announce, running
from barque.runtimes.docker import DockerRuntime
from barque.runtimes.port import Runtime
from barque.settings import Settings
from barque.store.migrations.upgrade import Unmigratable
from barque.unavailable import UNAVAILABLE
from barque.vault import Vault, VaultError, load_master_key

_PATIENCE = 60.0
_PRIORITY = 10
# Bytes of one message on a WebSocket.
_MESSAGE = 1024 * 1024

log = structlog.get_logger()


def run(settings: Settings) -> None:
    """Serve until SIGTERM or Ctrl-C. Services go on being served afterwards.

    Raises `AlreadyRunning`, and `OSError` where it cannot listen. Ends the process with 1 when what
    it needs is not to be had.
    """
    configure_log()
    _give_way()
    announce(settings)
    listener = _listener(settings.host, settings.port)
    platform = Platform(settings)
    config = uvicorn.Config(
        create_app(platform), host=settings.host, port=settings.port, log_level=settings.log_level,
        access_log=False, timeout_graceful_shutdown=2, lifespan="off",
        # A session keeps its connection alive by itself: one whose reader is slow must not end for
        # an answer to a ping that is behind what is still to be read.
        ws="websockets-sansio", ws_ping_interval=None, ws_max_size=_MESSAGE,
        ws_per_message_deflate=False,
    )  # fmt: skip
    _Server(config, platform).run(sockets=[listener])


class _Server(uvicorn.Server):
    """The server of the API, which answers once the platform has started."""

    def __init__(self, config: uvicorn.Config, platform: Platform) -> None:
        super().__init__(config)
        self._platform = platform

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start the platform, or end the process: what it began would keep it alive."""
        try:
            await self._platform.start()
        except (*UNAVAILABLE, Unmigratable, VaultError) as error:
            print(f"barque: {error}", file=sys.stderr)
            self._give_up()
        except Exception:
            log.exception("the platform cannot start")
            self._give_up()
        await super().startup(sockets)
        log.info("the platform serves", url=f"http://{self.config.host}:{self.config.port}")

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let answers end, then the platform, and the process with it."""
        await super().shutdown(sockets)
        await self._platform.stop()

    @staticmethod
    def _give_up() -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(1)


def _listener(host: str, port: int) -> socket.socket:
    """Have the address before anything is begun: it may be another platform's."""
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        raise OSError(
            f"cannot listen at {host}:{port} ({error.strerror}): stop what does, or choose another "
            "address with --port and --host"
        ) from error
    return listener


def configure_log() -> None:
    """Have tracebacks name lines only: the values of variables hold keys and secrets."""
    plain = structlog.dev.ConsoleRenderer(
        colors=sys.stdout.isatty(), exception_formatter=structlog.dev.plain_traceback
    )
    structlog.configure(processors=[*structlog.get_config()["processors"][:-1], plain])


def _give_way() -> None:
    """Let what is served go before the platform's own work, unless the router had to as well."""
    with contextlib.suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, -1)
        os.setpriority(os.PRIO_PROCESS, 0, _PRIORITY)


def down(settings: Settings) -> None:
    """Stop the platform if it runs, then the router and every container.

    Raises `OSError` where no platform was, and `RuntimeUnavailable`: then the containers run on.
    """
    if settings.secret_key is None and not settings.master_key_file.exists():
        raise OSError(f"{settings.data_dir} holds no platform: name its --data-dir")
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
    runtime = DockerRuntime(settings.engine)
    try:
        names = await runtime.containers({"barque.platform": vault.identity()})
        await asyncio.gather(*(_stop(runtime, name, settings.stop_timeout) for name in names))
    finally:
        await runtime.aclose()


async def _stop(runtime: Runtime, name: str, timeout: int) -> None:
    # The next start of the platform is what starts it again, not the engine.
    await runtime.keep_running(name, False)
    await runtime.stop(name, timeout)
