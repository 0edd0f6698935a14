"""The real platform, in a process of its own, on a fresh data folder."""

import os
import socket
import ssl
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Any

import httpx
import pytest

from scripts.registries import build_environment
from tests.platforms import Forked, Process
from tests.postgresql import PostgreSQL

# Nothing is asked over TLS, and reading the machine's certificates takes longer than most requests.
PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
# Below those that the kernel gives to connections, and above those that browsers refuse.
_PORTS, _WORKERS = range(11_000, 32_000), 16


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, so that nobody is left alone with it at the end."""
    turns = {
        "tests/e2e/faults/": 0, "tests/documents/": 1, "tests/e2e/": 2, "tests/dashboard/": 4,
        "tests/unit/": 5, "": 3,
    }  # fmt: skip
    items.sort(key=lambda one: next(n for at, n in turns.items() if one.nodeid.startswith(at)))


def ask(url: str, **options: Any) -> httpx.Response:
    """Get `url` over a connection of its own."""
    return httpx.get(url, verify=PLAIN, **options)


def _own_ports() -> Iterator[int]:
    """Go through the ports of this worker, again and again; another run begins elsewhere."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    own = _PORTS[worker % _WORKERS :: _WORKERS]
    begin = os.getpid() % len(own)
    return cycle([*own[begin:], *own[:begin]])


def free_port() -> int:
    """Return a port that is free, and that nobody else is given before it is used."""
    while True:
        port = next(_ports)
        with socket.socket() as probe, suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("", port))
            return port


_ports = _own_ports()


def reaching_registries() -> dict[str, str]:
    """Return the settings with which a build reaches package registries as this machine does."""
    found = {}
    if bundle := os.environ.get("SSL_CERT_FILE"):
        found["BARQUE_CA_BUNDLE"] = bundle
    return {**found, "BARQUE_BUILD_ENVIRONMENT": build_environment()}


@dataclass
class Server:
    data_dir: Path
    port: int
    process: Process | None = None
    apps_port: int = field(default_factory=free_port)
    webhook_secret: str = "a secret of the tests"
    engine: str | None = None
    database: str | None = None
    environment: dict[str, str] = field(default_factory=dict)
    # Whether each start is that of a user: a new interpreter, which imports everything.
    fresh: bool = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def key(self) -> str:
        return (self.data_dir / "admin.key").read_text().strip()

    @property
    def repositories(self) -> Path:
        return self.data_dir.parent / "repositories"

    def start(self, program: str = "barque", **extra: str) -> None:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("BARQUE_")}
        # Compiling anew at each of many starts takes longer than most tests do.
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        # The tests' httpd has no handler for SIGTERM: stopping it always takes this long.
        environment["BARQUE_STOP_TIMEOUT"] = "1"
        environment["BARQUE_HEALTH_INTERVAL"] = "1"
        environment["BARQUE_WEBHOOK_SECRET"] = self.webhook_secret
        # The tests' receivers are on this machine.
        environment["BARQUE_WEBHOOK_ALLOW_PRIVATE"] = '["127.0.0.1/32"]'
        environment["BARQUE_WEBHOOK_RETRY"] = "0.2"
        if self.database is not None:
            environment["BARQUE_DATABASE_URL"] = self.database
        if self.engine is not None:
            environment["DOCKER_HOST"] = self.engine
        environment |= reaching_registries()
        environment["BARQUE_GIT_BASE_URL"] = f"file://{self.repositories}"
        environment.update(self.environment, **extra)
        options = ["--data-dir", str(self.data_dir), "--port", str(self.port)]
        options += ["--apps-port", str(self.apps_port)]
        if self.fresh:
            command = [sys.executable, "-m", program, "serve", *options]
            self.process = subprocess.Popen(command, env=environment)
        else:
            self.process = Forked(program, ["serve", *options], environment)
        deadline = time.monotonic() + 60
        with httpx.Client(verify=PLAIN) as client:
            while True:
                try:
                    client.get(f"{self.url}/health").raise_for_status()
                except httpx.TransportError:
                    assert self.process.poll() is None, "the platform ended at its start"
                    assert time.monotonic() < deadline, "the platform did not start in a minute"
                    time.sleep(0.02)
                else:
                    return

    def ready(self) -> dict[str, str]:
        return dict(ask(f"{self.url}/ready", timeout=30).json())

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def kill_router(self) -> None:
        subprocess.run(["pkill", "-9", "-f", f"{self.data_dir}/router"], check=True)

    def end(self) -> None:
        """End the platform, and the router and containers that outlive it."""
        if self.process is not None and self.process.poll() is not None:
            self.start()
        self.clear()
        self.kill()
        subprocess.run(["pkill", "-f", f"{self.data_dir}/router/haproxy.cfg"], check=False)

    def clear(self) -> None:
        """Remove every organization, with all that is in it and runs."""
        with self.client() as client:
            for org in client.get("/orgs").json():
                client.delete(f"/orgs/{org['id']}", params={"cascade": "true"})

    def client(self, key: str | None = None) -> httpx.Client:
        return httpx.Client(
            base_url=f"{self.url}/api/v1", headers={"X-API-Key": key or self.key}, timeout=60,
            verify=PLAIN,
        )  # fmt: skip


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server(tmp_path_factory.mktemp("shared") / "barque", free_port(), fresh=True)
    running.start()
    yield running
    running.end()


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Server]:
    running = Server(tmp_path / "barque", free_port())
    running.start()
    yield running
    running.end()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    running = PostgreSQL(free_port())
    yield running
    running.remove()


@pytest.fixture
def api(server: Server) -> Iterator[httpx.Client]:
    with server.client() as client:
        yield client
    # What a test leaves running would cost all that come after it.
    server.clear()


def make_org(api: httpx.Client) -> str:
    """Make an organization, and return its path."""
    name = f"org-{uuid.uuid4().hex[:10]}"
    assert api.post("/orgs/", json={"name": name}).status_code == 201
    return f"/orgs/{name}"


@pytest.fixture
def org(api: httpx.Client) -> str:
    return make_org(api)


@pytest.fixture
def env(api: httpx.Client) -> str:
    return make_env(api)


WEB = {
    "Dockerfile": (
        "FROM barque/base:busybox\n"
        "RUN mkdir -p /www/_health && echo hello > /www/index.html\n"
        "RUN echo ok > /www/_health/index.html\n"
        'CMD ["sh", "-c", "exec httpd -f -p ${PORT:-8000} -h /www"]\n'
    )
}


@dataclass
class App:
    """A service on the platform, with a repository of its own."""

    api: httpx.Client
    path: str
    repository: Path

    def git(self, *arguments: str) -> str:
        who = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
        done = subprocess.run(
            ["git", *who, "-C", str(self.repository), *arguments],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
        return done.stdout.strip()

    @property
    def address(self) -> str:
        """How people name the service: `org/project/env/service`."""
        return "/".join(self.path.split("/")[2::2])

    def commit(self, files: dict[str, str]) -> str:
        for name, text in files.items():
            (self.repository / name).parent.mkdir(parents=True, exist_ok=True)
            (self.repository / name).write_text(text)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "change")
        return self.git("rev-parse", "HEAD")

    def build(self, ref: str | None = None) -> int:
        answer = self.api.post(f"{self.path}/images/build", json={"ref": ref} if ref else {})
        assert answer.status_code == 202, answer.text
        return int(answer.json()["version"])

    def image(self, version: int, *statuses: str) -> dict[str, object]:
        """Wait until an image has one of the statuses (or any end), and return it."""
        wanted = statuses or ("built", "error", "cancelled")
        deadline = time.monotonic() + 300
        while True:
            image: dict[str, object] = self.api.get(f"{self.path}/images/{version}").json()
            if image["status"] in wanted:
                return image
            assert time.monotonic() < deadline, image
            time.sleep(0.1)

    def log(self, version: int) -> str:
        return str(self.api.get(f"{self.path}/images/{version}/log").json()["log_text"])


def make_env(api: httpx.Client) -> str:
    """Make an organization, a project and an environment, and return the last one's path."""
    org = make_org(api)
    for parent, name in ((f"{org}/projects", "Shop"), (f"{org}/projects/shop/envs", "Production")):
        assert api.post(parent, json={"name": name}).status_code == 201
    return f"{org}/projects/shop/envs/production"


def make_app(server: Server, api: httpx.Client, env: str, name: str = "api") -> App:
    owner = env.split("/")[2]
    repository = server.repositories / owner / name
    if not repository.exists():
        subprocess.run(["git", "init", "-q", "-b", "main", str(repository)], check=True)
    body = {"name": name, "platform": "wind", "github_repository": f"{owner}/{name}"}
    assert api.post(f"{env}/services", json=body).status_code == 201
    return App(api, f"{env}/services/{name}", repository)


@pytest.fixture
def app(server: Server, api: httpx.Client, env: str) -> App:
    return make_app(server, api, env)
