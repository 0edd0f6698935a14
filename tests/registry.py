"""A real image registry on this machine."""

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

_CONFIG = """version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage:
  filesystem: {{rootdirectory: {folder}/images}}
http: {{addr: 127.0.0.1:{port}}}
{more}
"""
_CLOSED = "auth: {{htpasswd: {{realm: tests, path: {folder}/passwords}}}}"


@contextmanager
def registry(port: int, *, closed: bool = False) -> Iterator[str]:
    """Run a registry that forgets everything at its end, and return its address.

    A `closed` one lets nobody in without a password, and there is none.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "config.yml"
        more = _CLOSED.format(folder=folder) if closed else ""
        file.write_text(_CONFIG.format(folder=folder, port=port, more=more))
        (Path(folder) / "passwords").write_text("")
        environment = {k: v for k, v in os.environ.items() if not k.startswith("OTEL_")}
        # What it says is only of what the tests ask for and that is not there.
        process = subprocess.Popen(
            ["docker-registry", "serve", str(file)], env=environment, stderr=subprocess.DEVNULL
        )
        try:
            _wait(f"http://127.0.0.1:{port}/v2/", process)
            yield f"127.0.0.1:{port}"
        finally:
            process.kill()
            process.wait()


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            httpx.get(url)
        except httpx.TransportError:
            assert process.poll() is None, "the registry ended at its start"
            assert time.monotonic() < deadline, "the registry did not start"
            time.sleep(0.05)
        else:
            return
