"""The engine itself is restarted, or the whole machine is: an engine of the test's own."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.conftest import Server, free_port, make_app, make_env
from tests.e2e.helpers import build, deploy, deploy_over, ended, serves, serving, until

BASE = "barque/base:busybox"
PROCFILE = "web: exec httpd -f -p $PORT -h /www\nworker: exec sleep 1000\n"


def web(text: str) -> dict[str, str]:
    """A page that says `text`; this engine has no network for the steps of a build."""
    return {
        "Dockerfile": "FROM barque/base:busybox\nCOPY www /www\n"
        'CMD ["sh", "-c", "exec httpd -f -p $PORT -h /www"]\n',
        "www/index.html": f"{text}\n", "www/_health/index.html": "ok\n",
    }  # fmt: skip


class Engine:
    """A Docker Engine that can be ended, alone or with every container on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.host = f"unix://{folder}/engine.sock"
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        options = {
            "--data-root": "data", "--exec-root": "exec", "--pidfile": "pid",
        }  # fmt: skip
        folders = [part for o, name in options.items() for part in (o, str(self.folder / name))]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                ["dockerd", *folders, "-H", self.host, "--bridge=none", "--iptables=false"],
                stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        until(self._answers)

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self.folder / "log").read_text()[-1000:]
        return self.docker("version", check=False).returncode == 0

    def docker(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[bytes]:
        command = ["docker", "-H", self.host, *arguments]
        return subprocess.run(command, check=check, capture_output=True)

    def stop(self) -> None:
        """End it as a restart of its service does: with its containers."""
        assert self._process is not None
        self._process.terminate()
        self._process.wait(timeout=60)

    def lose_power(self) -> None:
        """End it, its helpers and its containers all at once, as when the machine goes down."""
        assert self._process is not None
        for pid in (*self._helpers(), self._process.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait()
        self._forget_what_only_memory_held()

    def _forget_what_only_memory_held(self) -> None:
        for line in reversed(Path("/proc/mounts").read_text().splitlines()):
            if (place := line.split()[1]).startswith(f"{self.folder}/"):
                subprocess.run(["umount", "-l", place], check=True)
        shutil.rmtree(self.folder / "exec")
        (self.folder / "pid").unlink(missing_ok=True)

    def _helpers(self) -> list[int]:
        """List what runs for this engine: containerd, its shims, and the containers' processes."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                command = (entry / "cmdline").read_bytes()
                group = (entry / "cgroup").read_text()
            except OSError:
                continue
            mine = str(self.folder).encode() in command and b"dockerd" not in command
            if (mine and b"containerd" in command) or any(one in group for one in self._ids):
                found.append(int(entry.name))
        return found

    @property
    def _ids(self) -> list[str]:
        listed = self.docker("ps", "-q", "--no-trunc", check=False)
        return listed.stdout.decode().split()


@pytest.fixture
def engine() -> Iterator[Engine]:
    # A socket's path may have no more than 107 bytes.
    folder = Path(tempfile.mkdtemp())
    engine = Engine(folder)
    try:
        saved = subprocess.run(["docker", "save", BASE], check=True, capture_output=True)
        subprocess.run(["docker", "-H", engine.host, "load"], input=saved.stdout, check=True)
        yield engine
    finally:
        engine.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def near_server(tmp_path: Path, engine: Engine) -> Iterator[Server]:
    running = Server(tmp_path / "barque", free_port(), engine=engine.host)
    running.start()
    yield running
    running.end()


def test_what_was_live_comes_back(near_server: Server, engine: Engine) -> None:
    with near_server.client() as client:
        app = make_app(near_server, client, make_env(client))
        build(app, {**web("one"), "Procfile": PROCFILE})
        client.post(f"{app.path}/scale", json={"process_counts": {"web": 2, "worker": 1}})
        assert ended(app, deploy(app))["status"] == "live"

        def all_run() -> bool:
            rows = client.get(f"{app.path}/processes")
            return rows.status_code == 200 and [r["state"] for r in rows.json()] == ["running"] * 3

        for end in (engine.stop, engine.lose_power):
            end()
            assert client.get(f"{app.path}/processes").status_code == 503
            engine.start()
            until(lambda: serves(near_server, app, "one\n"))
            until(all_run)
        # The machine goes down with the platform and the router on it.
        near_server.kill()
        near_server.kill_router()
        engine.lose_power()
        # The platform is up before the engine is: it waits, and answers meanwhile.
        near_server.start()
        assert "does not answer" in near_server.ready()["engine"]
        assert client.get(f"{app.path}/processes").status_code == 503
        engine.start()
        until(lambda: serves(near_server, app, "one\n"))
        until(all_run)
        assert client.get(f"{app.path}/deployments").json()["pagination"]["total"] == 1


def test_restarted_in_the_middle(near_server: Server, engine: Engine) -> None:
    with near_server.client() as client:
        app = make_app(near_server, client, make_env(client))
        deployment = deploy_over(app, web("one"), web("two"))
        engine.stop()
        row = ended(app, deployment)
        assert row["status"] == "failed"
        assert row["error_detail"]
        engine.start()
        until(lambda: serves(near_server, app, "one\n"))
        assert ended(app, deploy(app))["status"] == "live"
        assert serving(near_server, app).text == "two\n"


def test_the_machine_goes_down_in_the_middle(near_server: Server, engine: Engine) -> None:
    with near_server.client() as client:
        app = make_app(near_server, client, make_env(client))
        deployment = deploy_over(app, web("one"), web("two"))
        near_server.kill()
        near_server.kill_router()
        engine.lose_power()
        # The platform is up first. The deployment waits with it, and so does another.
        near_server.start()
        after = deploy(app)
        waiting = {row["status"] for row in app.api.get(f"{app.path}/deployments").json()["items"]}
        assert not waiting & {"failed", "cancelled"}
        engine.start()
        assert ended(app, after)["status"] == "live"
        assert ended(app, deployment)["status"] == "retired", "the one that was asked for first"
        assert serving(near_server, app).text == "two\n"
