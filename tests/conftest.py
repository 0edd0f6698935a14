"""The real platform, in a process of its own, on a fresh data folder."""

import os
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Server:
    data_dir: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def key(self) -> str:
        return (self.data_dir / "admin.key").read_text().strip()

    def start(self) -> None:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("BARQUE_")}
        options = ["--data-dir", str(self.data_dir), "--port", str(self.port)]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "barque", "serve", *options], env=environment
        )
        deadline = time.monotonic() + 60
        while True:
            try:
                httpx.get(f"{self.url}/health").raise_for_status()
            except httpx.TransportError:
                assert self.process.poll() is None, "the platform ended at its start"
                assert time.monotonic() < deadline, "the platform did not start in a minute"
                time.sleep(0.05)
            else:
                return

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def client(self, key: str | None = None) -> httpx.Client:
        return httpx.Client(
            base_url=f"{self.url}/api/v1", headers={"X-API-Key": key or self.key}, timeout=60
        )


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server(tmp_path_factory.mktemp("barque"), free_port())
    running.start()
    yield running
    running.kill()


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Server]:
    running = Server(tmp_path / "barque", free_port())
    running.start()
    yield running
    running.kill()


@pytest.fixture
def api(server: Server) -> Iterator[httpx.Client]:
    with server.client() as client:
        yield client


@pytest.fixture
def org(api: httpx.Client) -> str:
    name = f"org-{uuid.uuid4().hex[:10]}"
    assert api.post("/orgs/", json={"name": name}).status_code == 201
    return f"/orgs/{name}"


@pytest.fixture
def env(api: httpx.Client, org: str) -> str:
    assert api.post(f"{org}/projects/", json={"name": "Shop"}).status_code == 201
    answer = api.post(f"{org}/projects/shop/envs/", json={"name": "Production"})
    assert answer.status_code == 201
    return f"{org}/projects/shop/envs/production"
