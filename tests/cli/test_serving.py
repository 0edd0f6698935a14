"""Starting and stopping an installation: what goes wrong is said, and nothing is left half done."""

import os
import socket
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.conftest import environment_in
from tests.conftest import App, Server, free_port, make_app, make_env
from tests.e2e.helpers import build, containers, deploy, docker, ended, serves, until, web
from tests.platforms import run_barque


def serve(folder: Path, *options: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Try to start a platform in a folder of its own, where it cannot."""
    ports = ["--port", str(free_port()), "--apps-port", str(free_port())]
    environment = {**environment_in(folder), **settings}
    done = run_barque(["serve", *ports, *options], environment, folder)
    assert "Traceback" not in done.stdout + done.stderr
    return done


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("0.0.0.0", 0)) as listener:
        yield listener.getsockname()[1]


def test_what_keeps_it_from_starting_is_said(tmp_path: Path, taken: int) -> None:
    done = serve(tmp_path, BARQUE_DATABASE_URL="postgresql://127.0.0.1:1/none")
    assert (done.returncode, done.stderr.splitlines()[-1]) == (
        1, "barque: the database cannot be used now: [Errno 111] Connection refused",
    )  # fmt: skip
    done = serve(tmp_path, "--port", str(taken))
    assert done.returncode == 1
    assert f"cannot listen at 127.0.0.1:{taken} (Address already in use)" in done.stderr
    done = serve(tmp_path, "--apps-port", str(taken))
    assert done.returncode == 1
    assert "is the port taken?" in done.stderr
    with closing(sqlite3.connect(tmp_path / ".barque" / "barque.db")) as database, database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    done = serve(tmp_path)
    assert done.returncode == 1
    assert done.stderr.endswith("start the newer version again\n")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        (
            "BARQUE_RATE_LIMIT",
            "-1",
            "BARQUE_RATE_LIMIT: Input should be greater than or equal to 0",
        ),
        ("BARQUE_PLATFORMS", '{"wind": {"cpus": 0}}', "BARQUE_PLATFORMS.wind.cpus: Input should"),
        ("BARQUE_BUILD_ENVIRONMENT", '{"TOKEN": "s3cret', "BARQUE_BUILD_ENVIRONMENT: "),
        ("BARQUE_GITHUB_APP_ID", "s3cret", "github_app_id and github_app_private_key_file go"),
    ],
)
def test_a_wrong_setting_is_named_without_its_value(
    tmp_path: Path, name: str, value: str, said: str
) -> None:
    done = serve(tmp_path, BARQUE_SECRET_KEY="s3cret" * 8, **{name: value})
    assert done.returncode == 2
    assert said in done.stderr
    assert "s3cret" not in done.stdout + done.stderr


def test_nobody_else_is_the_platform_of_its_data_dir(own_server: Server, tmp_path: Path) -> None:
    assert own_server.process is not None
    done = serve(tmp_path, "--data-dir", str(own_server.data_dir))
    assert done.returncode == 1
    assert f"runs already, as process {own_server.process.pid}" in done.stderr
    assert own_server.ready()["status"] == "ok"
    # Its successor need not wait for anything that a killed process left.
    own_server.kill()
    own_server.start()


def test_down_finds_what_runs_by_itself(own_server: Server, tmp_path: Path) -> None:
    with own_server.client() as api:
        down_and_up(own_server, make_app(own_server, api, make_env(api)), tmp_path)


def down_and_up(own_server: Server, app: App, tmp_path: Path) -> None:
    build(app, web("one"))
    assert ended(app, deploy(app))["status"] == "live"
    [name] = containers(app)
    environment = {**environment_in(tmp_path), "BARQUE_STOP_TIMEOUT": "1"}
    environment.pop("DOCKER_HOST")
    data = ["--data-dir", str(own_server.data_dir)]
    absent = {**environment, "DOCKER_HOST": f"unix://{tmp_path}/none"}
    done = run_barque(["down", *data], absent, tmp_path)
    assert done.returncode == 1
    assert "does not answer; the containers run on" in done.stderr
    assert name in docker("ps")
    # Nobody says where the engine is: it is where the platform last found it.
    assert run_barque(["down", *data], environment, tmp_path).returncode == 0
    assert name not in docker("ps")
    own_server.environment = {"DOCKER_HOST": ""}
    own_server.start()
    until(lambda: serves(own_server, app, "one\n"))
    assert (own_server.data_dir / "engine.host").read_text() == os.environ["DOCKER_HOST"]


def test_down_where_nothing_was(tmp_path: Path) -> None:
    done = run_barque(["down"], environment_in(tmp_path), tmp_path)
    assert done.returncode == 1
    assert done.stderr == f"barque: {tmp_path}/.barque holds no platform: name its --data-dir\n"
    assert not (tmp_path / ".barque").exists()
