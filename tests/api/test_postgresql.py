"""The same platform over PostgreSQL."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Server, free_port, make_app, make_env
from tests.e2e.helpers import build, deploy, ended, serving, until, web

PROGRAMS = "/usr/lib/postgresql/*/bin"


def program(name: str) -> str:
    found = shutil.which(name) or next(map(str, Path("/").glob(f"{PROGRAMS[1:]}/{name}")), None)
    assert found, f"{name} is missing: make setup installs PostgreSQL"
    return found


@pytest.fixture
def database() -> Iterator[str]:
    folder, port = Path(tempfile.mkdtemp()), free_port()
    folder.chmod(0o755)
    # PostgreSQL refuses to run as root.
    account = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if account:
        shutil.chown(folder, "postgres")
    data = folder / "data"
    subprocess.run(
        [*account, program("initdb"), "-A", "trust", "-U", "barque", "-D", data], check=True,
        capture_output=True, cwd="/",
    )  # fmt: skip
    options = ["-D", data, "-p", str(port), "-k", folder, "-h", "127.0.0.1", "-c", "fsync=off"]
    running = subprocess.Popen(
        [*account, program("postgres"), *options],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/",
    )  # fmt: skip
    ready = ["pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port), "-t", "30"]
    while subprocess.run([program(ready[0]), *ready[1:]], check=False).returncode:
        assert running.poll() is None
    yield f"postgresql://barque@127.0.0.1:{port}/postgres"
    running.terminate()
    running.wait()
    shutil.rmtree(folder, ignore_errors=True)


def test_from_an_org_to_a_rollback_over_postgresql(database: str, tmp_path: Path) -> None:
    settings = {"BARQUE_IMAGES_KEPT": "1", "BARQUE_PRUNE_INTERVAL": "1"}
    server = Server(tmp_path / "barque", free_port(), database=database, environment=settings)
    server.start()
    try:
        with server.client() as client:
            app = make_app(server, client, make_env(client))
            answer = client.post(f"{app.path}/config", json={"name": "A", "value": "1"})
            assert answer.status_code == 201
            assert (
                client.post(f"{app.path}/config", json={"name": "A", "value": "2"}).json()["value"]
                == "2"
            )
            versions = [app.build() for _ in range(3)]
            assert versions == [1, 2, 3]
            build(app, web("one"))
            assert ended(app, deploy(app))["status"] == "live"
            server.kill()
            server.start()
            build(app, web("two"))
            assert ended(app, deploy(app))["status"] == "live"
            assert serving(server, app).text == "two\n"
            assert ended(app, deploy(app, "rollback"))["status"] == "live"
            assert serving(server, app).text == "one\n"
            project = app.path.partition("/envs/")[0]
            history = client.get(f"{project}/pipeline/history").json()
            assert history["pagination"]["total"] == 8
            assert client.get(f"{project}/pipeline/metrics").json()["deployments"]["failed"] == 0
            build(app, web("three"))
            assert ended(app, deploy(app))["status"] == "live"
            until(lambda: client.get(f"{app.path}/images/5").json()["pruned"])
            body = {"image_version": 5}
            assert client.post(f"{app.path}/deploy", json=body).status_code == 409
            assert client.get(f"{app.path}/images/4").json()["pruned"] is None
            assert not list(server.data_dir.glob("barque.db"))
    finally:
        server.end()
