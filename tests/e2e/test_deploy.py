"""Real containers behind the real router."""

import json
import random
import subprocess
import threading

import httpx
import pytest

from tests.conftest import PLAIN, App, Server, ask, make_env
from tests.e2e.helpers import build, deploy, ended, host_of, serving, web


def test_deploy_rollback_and_delete(server: Server, app: App) -> None:
    assert app.api.post(f"{app.path}/deploy").status_code == 409
    build(app, web("one"))
    row = ended(app, deploy(app))
    assert row["status"] == "live", row
    names = [step["name"] for step in row["steps"]]  # type: ignore[attr-defined]
    assert names == ["releasing", "starting", "checking", "switching", "draining", "live"]
    assert serving(server, app).text == "one\n"
    build(app, web("two"))
    app.api.post(f"{app.path}/config", json={"name": "A", "value": "1"})
    assert ended(app, deploy(app))["status"] == "live"
    assert serving(server, app).text == "two\n"
    release = app.api.get(f"{app.path}/releases/2").json()
    added = {"added": ["A"], "removed": [], "changed": []}
    assert release["changes"] == {"image": True, "config": added}
    assert ended(app, deploy(app, "rollback"))["status"] == "live"
    assert serving(server, app).text == "one\n"
    assert len(app.api.get(f"{app.path}/releases").json()) == 2
    statuses = [d["status"] for d in app.api.get(f"{app.path}/deployments").json()["items"]]
    assert statuses == ["live", "retired", "retired"]
    host = host_of(app)
    assert app.api.delete(app.path).status_code == 204
    gone = ask(f"http://127.0.0.1:{server.apps_port}/", headers={"Host": host})
    assert gone.status_code == 404


def exists(network: str) -> bool:
    inspect = ["docker", "network", "inspect", network]
    return subprocess.run(inspect, capture_output=True, check=False).returncode == 0


def test_an_environments_network_goes_with_it(app: App) -> None:
    env = app.path.partition("/services/")[0]
    network = f"barque-{app.api.get(env).json()['id']}"
    build(app, web("x"))
    assert ended(app, deploy(app))["status"] == "live"
    assert app.api.delete(app.path).status_code == 204
    assert exists(network), "other services of the environment may come to need it"
    app.api.post(f"{env}/services", json={"name": "other", "platform": "wind"})
    assert app.api.delete(env, params={"cascade": "true"}).status_code == 204
    assert not exists(network)


def test_a_network_that_others_use_keeps_no_environment(api: httpx.Client) -> None:
    env = make_env(api)
    network = f"barque-{api.get(env).json()['id']}"
    subnet = f"--subnet=10.219.{random.randrange(256)}.{random.randrange(32) * 8}/29"
    subprocess.run(["docker", "network", "create", subnet, network], check=True)
    stranger = ["docker", "run", "-d", "--rm", f"--network={network}", "barque/base:busybox"]
    started = subprocess.run([*stranger, "sleep", "60"], check=True, capture_output=True, text=True)
    assert api.delete(env).status_code == 204
    assert exists(network)
    subprocess.run(["docker", "rm", "-f", started.stdout.strip()], check=True, capture_output=True)
    subprocess.run(["docker", "network", "rm", network], check=True, capture_output=True)


# Reads a request to its end, so that the answer is read as well.
REFUSE = (
    "while read -r line && [ ${#line} -gt 1 ]; do :; done; "
    r'printf "HTTP/1.1 500 x\r\nContent-Length: 0\r\n\r\n"'
)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ('["sh", "-c", "echo farewell; exit 7"]', "exit code 7\nfarewell"),
        ('["sleep", "1000"]', "did not answer"),
        (json.dumps(["sh", "-c", f"exec nc -ll -p $PORT -e sh -c '{REFUSE}'"]), "it answered 500"),
    ],
)
def test_a_bad_release_leaves_the_old_serving(
    server: Server, app: App, command: str, said: str
) -> None:
    build(app, web("old"))
    assert ended(app, deploy(app))["status"] == "live"
    app.api.patch(app.path, json={"deployment_timeout": 3})
    build(app, {"Dockerfile": f"FROM barque/base:busybox\nCMD {command}\n"})
    row = ended(app, deploy(app))
    assert row["status"] == "failed"
    assert said in str(row["error_detail"])
    assert serving(server, app).text == "old\n"


def test_rollouts_drop_no_request(server: Server, app: App) -> None:
    build(app, web("x"))
    assert ended(app, deploy(app))["status"] == "live"
    stop, answers = threading.Event(), []

    def load() -> None:
        while not stop.is_set():
            answers.append(serving_status())

    client = httpx.Client(verify=PLAIN, headers={"Host": host_of(app)}, timeout=60)

    def serving_status() -> int:
        return client.get(f"http://127.0.0.1:{server.apps_port}/").status_code

    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(3):
        assert ended(app, deploy(app))["status"] == "live"
    stop.set()
    for thread in threads:
        thread.join()
    assert set(answers) == {200}
