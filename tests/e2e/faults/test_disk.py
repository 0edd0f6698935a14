"""The disk of the platform's own data is full."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Server, free_port, make_app, make_env
from tests.e2e.helpers import deploy, deploy_over, ended, serving, until, web


@pytest.fixture
def small_server(tmp_path: Path) -> Iterator[Server]:
    folder = tmp_path / "barque"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m", "none", str(folder)], check=True)
    running = Server(folder, free_port())
    running.start()
    yield running
    running.end()
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(server: Server) -> Path:
    path = server.data_dir / "fill"
    full = ["dd", "if=/dev/zero", f"of={path}", "bs=64k"]
    assert subprocess.run(full, capture_output=True, check=False).returncode != 0
    return path


def test_full_in_the_middle(small_server: Server) -> None:
    with small_server.client() as client:
        app = make_app(small_server, client, make_env(client))
        deployment = deploy_over(app, web("one"), web("two"))
        filler = fill(small_server)

        def refused() -> bool:
            # Some room is left in the files themselves.
            body = {"name": "LARGE", "value": "x" * 60_000}
            answer = client.post(f"{app.path}/config", json=body)
            client.delete(f"{app.path}/config/{answer.json().get('id')}")
            return answer.status_code == 503 and "make room" in answer.json()["message"]

        until(refused)
        assert serving(small_server, app).text in ("one\n", "two\n")
        assert client.get(f"{app.path}/deployments/{deployment}").status_code == 200
        filler.unlink()
        assert ended(app, deployment)["status"] == "live"
        assert serving(small_server, app).text == "two\n"
        assert ended(app, deploy(app, "rollback"))["status"] == "live"
        assert serving(small_server, app).text == "one\n"
