"""Faults: the engine or the router gone, the disk full, the platform killed."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.conftest import App, Server, free_port, make_app, make_env
from tests.e2e.helpers import (
    SLOW,
    containers,
    deploy,
    deploy_over,
    deploy_slowly,
    ended,
    serving,
    until,
    web,
)


class Line:
    """A line to the real engine that can be cut, as if the engine were gone."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "engine.sock"
        self._engine = os.environ["DOCKER_HOST"].removeprefix("unix://")
        self._open: list[socket.socket] = []
        self._listener: socket.socket | None = None
        self.mend()

    def mend(self) -> None:
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.path))
        self._listener.listen(100)
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def cut(self) -> None:
        assert self._listener is not None
        self.path.unlink()
        for one in (self._listener, *self._open):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        self._open.clear()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                here, _ = listener.accept()
                there = socket.socket(socket.AF_UNIX)
                there.connect(self._engine)
                self._open += [here, there]
                for source, target in ((here, there), (there, here)):
                    threading.Thread(target=_copy, args=(source, target), daemon=True).start()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


@pytest.fixture
def line() -> Iterator[Line]:
    # A socket's path may have no more than 107 bytes.
    folder = Path(tempfile.mkdtemp())
    yield Line(folder)
    shutil.rmtree(folder)


@pytest.fixture
def far_server(tmp_path: Path, line: Line) -> Iterator[Server]:
    running = Server(tmp_path / "barque", free_port(), engine=f"unix://{line.path}")
    running.start()
    yield running
    running.end()


def test_the_engine_is_gone_in_the_middle(far_server: Server, line: Line) -> None:
    with far_server.client() as client:
        app = make_app(far_server, client, make_env(client))
        deployment = deploy_over(app, web("one"), web("two"))
        line.cut()
        row = ended(app, deployment)
        assert row["status"] == "failed"
        assert "does not answer" in str(row["error_detail"])
        assert serving(far_server, app).text == "one\n"
        assert "does not answer" in far_server.ready()["engine"]
        assert client.get(f"{app.path}/processes").status_code == 503
        image = app.image(app.build())
        assert image["status"] == "error"
        assert "engine" in str(image["error_detail"])
        assert len(containers(app, "-a")) == 2
        line.mend()
        until(lambda: len(containers(app, "-a")) == 1)
        assert far_server.ready()["engine"] == "ok"
        assert ended(app, deploy(app))["status"] == "live"
        assert serving(far_server, app).text == "two\n"


def test_the_disk_is_full_at_a_build(app: App) -> None:
    full = "RUN dd if=/dev/zero of=/dev/shm/x bs=1M count=200\n"
    app.commit({"Dockerfile": f"FROM barque/base:busybox\n{full}"})
    image = app.image(app.build())
    assert image["status"] == "error"
    assert "the disk is full" in str(image["error_detail"])


def test_the_router_is_gone_in_the_middle(own_server: Server) -> None:
    with own_server.client() as client:
        app = make_app(own_server, client, make_env(client))
        deployment = deploy_slowly(app, web("one"))
        own_server.kill_router()
        assert ended(app, deployment)["status"] == "live"
        assert serving(own_server, app).text == "one\n"


def test_deleted_in_the_middle(server: Server, app: App) -> None:
    deploy_slowly(app, web("one"))
    service = app.api.get(app.path).json()["id"]
    assert app.api.delete(app.path).status_code == 204
    listed = ["docker", "ps", "-aq", "--filter", f"label=barque.service_id={service}"]
    until(lambda: not subprocess.run(listed, capture_output=True, check=True).stdout)


def test_cancelled_in_the_middle(server: Server, app: App) -> None:
    deployment = deploy_over(app, web("one"), web("two"))
    path = f"{app.path}/deployments/{deployment}"
    assert app.api.post(f"{path}/cancel").status_code == 202
    assert ended(app, deployment)["status"] == "cancelled"
    assert app.api.post(f"{path}/cancel").status_code == 409
    assert serving(server, app).text == "one\n"
    assert len(containers(app, "-a")) == 1


def test_sigterm_in_the_middle(own_server: Server) -> None:
    with own_server.client() as client:
        app = make_app(own_server, client, make_env(client))
        deployment = deploy_slowly(app, web("one"))
        assert own_server.process is not None
        own_server.process.send_signal(signal.SIGTERM)
        assert own_server.process.wait(timeout=30) == 0
        own_server.start()
        assert ended(app, deployment)["status"] == "live"
        assert len(containers(app, "-a")) == 1


def test_killed_between_build_and_deployment(own_server: Server) -> None:
    with own_server.client() as client:
        app = make_app(own_server, client, make_env(client))
        project = app.path.partition("/envs/")[0]
        app.commit({**web("one"), "slow": "", "Procfile": SLOW})
        body = {"service": "api", "env": "production"}
        ids = client.post(f"{project}/pipeline/deploy", json=body).json()
        for status in ("queued", "checking"):
            path = f"{app.path}/deployments/{ids['deployment_id']}"
            until(lambda: client.get(path).json()["status"] == status)  # noqa: B023 - asked at once
            own_server.kill()
            own_server.start()
        assert ended(app, ids["deployment_id"])["status"] == "live"
        assert serving(own_server, app).text == "one\n"
        assert len(containers(app, "-a")) == 1
        assert client.get(f"{app.path}/images").json()["pagination"]["total"] == 1
