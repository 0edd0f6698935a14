"""`kill -9` of the platform in the middle of deployments, under load.

However it dies, and at whatever instant: the deployment ends live, no request is dropped, nothing
is left over, and one release is live.
"""

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import WEB, App, Server, free_port, make_app, make_env
from tests.e2e.helpers import build, containers, deploy, ended, host_of, serving, until
from tests.load import load

STEPS = ("releasing", "starting", "checking", "switching", "draining", "live")
# So many kills with so many deployments each make twenty-five instants.
KILLS, SERVICES = 5, 5
RATE = 100
# Not each service needs a worker and several instances: each takes as long as a deployment.
COUNTS = ({"web": 2, "worker": 1}, {"web": 1, "worker": 0})
SLOW_PATH = "/cgi-bin/slow"
SLOW = "#!/bin/sh\nsleep 0.2\nprintf 'Content-Length: 5\\r\\n\\r\\nslow\\n'\n"
FILES = {
    "Dockerfile": WEB["Dockerfile"].rpartition("CMD")[0]
    + "COPY slow /www/cgi-bin/slow\nRUN chmod +x /www/cgi-bin/slow\n",
    "slow": SLOW,
    "Procfile": "web: echo ${BARQUE_RELEASE} > /www/index.html; exec httpd -f -p $PORT -h /www\n"
    "worker: exec sleep 1000\n",
}


@pytest.fixture
def quick_server(tmp_path: Path) -> Iterator[Server]:
    """A platform that loses no time on programs which do not heed SIGTERM."""
    settings = {"BARQUE_STOP_TIMEOUT": "0", "BARQUE_READINESS_DELAY": "0.1"}
    running = Server(tmp_path / "barque", free_port(), environment=settings)
    running.start()
    yield running
    running.end()


def all_live(apps: list[App]) -> None:
    """Deploy all at once, and see that they become live."""
    for app, deployment in [(app, deploy(app)) for app in apps]:
        assert ended(app, deployment)["status"] == "live"


@contextmanager
def under_load(server: Server, count: int) -> Iterator[list[App]]:
    """Give services that are live, every second one with several processes; drop no request."""
    with server.client() as client:
        apps = [make_app(server, client, make_env(client)) for _ in range(count)]
        for number, app in enumerate(apps):
            build(app, FILES)
            counts = {"process_counts": COUNTS[number % 2]}
            client.post(f"{app.path}/scale", json=counts).raise_for_status()
        all_live(apps)
        with load(server.apps_port, [host_of(app) for app in apps], SLOW_PATH, RATE) as figures:
            yield apps
    assert figures.failures == []
    assert figures.total > RATE


def as_it_should_be(server: Server, app: App, deployment: str) -> None:
    """Wait for the deployment's end, and see that it is the only one there is."""
    row = ended(app, deployment)
    assert row["status"] == "live", row
    service = app.api.get(app.path).json()
    assert serving(server, app).text == f"{service['latest_release']['version']}\n"
    counts = service["process_counts"].items()
    mine = [f"barque-{deployment}.{kind}-{n}" for kind, count in counts for n in range(count)]
    until(lambda: containers(app, "-a") == mine)
    assert containers(app) == mine
    statuses = [r["status"] for r in app.api.get(f"{app.path}/releases").json()]
    assert statuses.count("live") == 1
    rows = app.api.get(f"{app.path}/deployments").json()["items"]
    assert [r["status"] for r in rows][:2] == ["live", "retired"]


def test_killed_at_each_step(quick_server: Server) -> None:
    with under_load(quick_server, 1) as [app]:
        for step in STEPS:
            for when in ("before", "after"):
                quick_server.kill()
                quick_server.start("tests.e2e.faults.dying", DIE_AT=f"{step}:{when}")
                deployment = deploy(app)
                assert quick_server.process is not None
                assert quick_server.process.wait(timeout=60) == -9, (step, when)
                quick_server.start()
                as_it_should_be(quick_server, app, deployment)


@pytest.mark.parametrize("seed", [1, 2])
def test_killed_at_random_instants(quick_server: Server, seed: int) -> None:
    """Each kill meets several deployments, each at an instant of its own."""
    instants = random.Random(seed)
    with under_load(quick_server, SERVICES) as apps:
        begun = time.monotonic()
        all_live(apps)
        whole = time.monotonic() - begun
        for _ in range(KILLS):
            deployments = []
            for app in apps:
                deployments.append((app, deploy(app)))
                time.sleep(instants.uniform(0, whole / SERVICES))
            quick_server.kill()
            quick_server.start()
            for app, deployment in deployments:
                as_it_should_be(quick_server, app, deployment)
