"""Starting and stopping the platform as a program."""

import asyncio
import contextlib
import os
import signal
import time
from pathlib import Path

import structlog
import uvicorn

from barque.app import create_app
from barque.platform import Platform
from barque.routing.haproxy import HAProxyRouter
from barque.runtimes.docker import DockerRuntime
from barque.runtimes.port import Runtime
from barque.settings import DEFAULT_ENGINE, Settings
from barque.vault import Vault, load_master_key

_PATIENCE = 60.0
_PRIORITY = 10


def run(settings: Settings) -> None:
    """Serve until SIGTERM or Ctrl-C. Services go on being served afterwards."""
    configure_log()
    _give_way()
    app = create_app(Platform(settings))
    _pid_file(settings).write_text(str(os.getpid()))
    uvicorn.run(
        app, host=settings.host, port=settings.port, log_level=settings.log_level,
        access_log=False, timeout_graceful_shutdown=2,
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
    pid = _running(settings)
    if pid is not None:
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + _PATIENCE
        while _running(settings) == pid and time.monotonic() < deadline:
            time.sleep(0.1)
    asyncio.run(_stop_what_serves(settings))


def _pid_file(settings: Settings) -> Path:
    return settings.data_dir / "serve.pid"


def _running(settings: Settings) -> int | None:
    """Return the process of the platform, if it is one."""
    with contextlib.suppress(OSError, ValueError):
        pid = int(_pid_file(settings).read_text())
        # A number that was given to another process since must not be signalled.
        if b"barque" in Path(f"/proc/{pid}/cmdline").read_bytes():
            return pid
    return None


async def _stop_what_serves(settings: Settings) -> None:
    router = HAProxyRouter(settings.data_dir / "router", settings.apps_host, settings.apps_port)
    await router.stop()
    vault = Vault(load_master_key(settings.data_dir / "secret.key", settings.secret_key))
    runtime = DockerRuntime(settings.docker_host or DEFAULT_ENGINE)
    names = await runtime.containers({"barque.platform": vault.identity()})
    await asyncio.gather(*(_stop(runtime, name, settings.stop_timeout) for name in names))
    await runtime.aclose()


async def _stop(runtime: Runtime, name: str, timeout: int) -> None:
    # The next start of the platform is what starts it again, not the engine.
    await runtime.keep_running(name, False)
    await runtime.stop(name, timeout)
