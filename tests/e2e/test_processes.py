"""Scaling, restarting, supervision, logs and one-off commands, on real containers."""

import subprocess

import httpx

from tests.conftest import App, Server, make_app, make_env
from tests.e2e.helpers import build, deploy, docker, ended, load, serves, serving, until, web

PROCFILE = (
    "web: exec httpd -f -p $PORT -h /www\n"
    "worker: echo at work; exec sleep 1000\n"
    "release: echo migrating for $BARQUE_SERVICE\n"
)


def containers(deployment: str) -> list[str]:
    label = f"label=barque.deployment_id={deployment}"
    return sorted(docker("ps", "-a", "--filter", label, "--format", "{{.Names}}").split())


def processes(app: App) -> list[dict[str, object]]:
    return list(app.api.get(f"{app.path}/processes").json())


def test_scale_restart_logs_and_run(server: Server, app: App) -> None:
    build(app, {**web("x"), "Procfile": PROCFILE})
    assert processes(app) == []
    assert app.api.post(f"{app.path}/run", json={"command": "true"}).status_code == 409
    first = deploy(app)
    assert ended(app, first)["status"] == "live"
    log = app.api.get(f"{app.path}/releases/1/log").json()
    assert "image 1" in log["log_text"]
    assert "migrating for api" in log["log_text"]
    [only] = processes(app)
    assert (only["type"], only["index"], only["state"], only["release"]) == ("web", 0, "running", 1)
    assert int(str(only["memory"])) > 0
    with load(server, app) as answers:
        counts = {"web": 3, "worker": 1}
        scaled = app.api.post(f"{app.path}/scale", json={"process_counts": counts})
        assert scaled.status_code == 202
        assert scaled.json() == {"process_counts": counts, "deployment_id": first}
        until(lambda: len(processes(app)) == 4)
        app.api.post(f"{app.path}/scale", json={"process_counts": {"web": 1}})
        until(lambda: len(containers(first)) == 2)
        second = deploy(app, "restart")
        assert ended(app, second)["status"] == "live"
    assert set(answers) == {200}
    assert containers(first) == []
    assert len(containers(second)) == 2
    assert [row["type"] for row in processes(app)] == ["web", "worker"]
    bad = app.api.post(f"{app.path}/scale", json={"process_counts": {"cron": 1}})
    assert bad.status_code == 422
    assert bad.json()["errors"][0]["field"] == "process_counts.cron"
    for count in (-1, 101):
        body = {"process_counts": {"web": count}}
        assert app.api.post(f"{app.path}/scale", json=body).status_code == 422
    path = f"{app.path}/logs"
    lines = app.api.get(path, params={"process": "worker"}).json()["lines"]
    assert [line["text"] for line in lines] == ["at work", "at work"]
    assert app.api.get(path, params={"process": "worker", "tail": 1}).json()["lines"] == lines[1:]
    since = {"process": "worker", "since": lines[1]["at"]}
    assert app.api.get(path, params=since).json()["lines"] == lines[1:]
    body = {"command": "echo $BARQUE_RELEASE; exit 3"}
    ran = app.api.post(f"{app.path}/run", json=body).json()
    assert ran == {"exit_code": 3, "output": "1\n", "timed_out": False}
    late = app.api.post(f"{app.path}/run", json={"command": "sleep 100", "timeout": 1}).json()
    assert late == {"exit_code": None, "output": "", "timed_out": True}
    inside = {"command": "echo $BARQUE_PROCESS; exit 3", "process": "worker"}
    ran = app.api.post(f"{app.path}/exec", json=inside).json()
    assert ran == {"exit_code": 3, "output": "worker\n", "timed_out": False}
    nobody = app.api.post(f"{app.path}/exec", json={"command": "true", "index": 7})
    assert nobody.status_code == 409
    assert "no web.7 of" in nobody.json()["message"]
    org = app.path.partition("/projects")[0]
    row = app.api.get(f"{org}/audit").json()["items"][0]
    assert (row["action"], row["after"]) == ("service.exec", {"release": 1, "instance": "worker-0"})


def test_logs_follow_and_resume(app: App) -> None:
    loop = "web: (i=0; while :; do echo line $i; i=$((i+1)); sleep 0.05; done) & "
    build(app, {**web("x"), "Procfile": f"{loop} exec httpd -f -p $PORT -h /www\n"})
    assert ended(app, deploy(app))["status"] == "live"

    def some(headers: dict[str, str]) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        wanted = {"Accept": "text/event-stream", **headers}
        with app.api.stream("GET", f"{app.path}/logs", headers=wanted) as answer:
            event = ""
            for line in answer.iter_lines():
                if line.startswith("id: "):
                    event = line
                elif line.startswith("data: "):
                    found.append((event, line.partition('"text":')[2]))
                if len(found) == 5:
                    break
        return found

    first = some({})
    again = some({"Last-Event-ID": first[-1][0].removeprefix("id: ")})
    texts = [text for _, text in first + again]
    assert texts == [f'"line {number}"}}' for number in range(10)]


def test_what_ends_is_brought_back(server: Server, app: App) -> None:
    build(app, web("x"))
    deployment = deploy(app)
    assert ended(app, deployment)["status"] == "live"
    app.api.post(f"{app.path}/scale", json={"process_counts": {"web": 2}})
    until(lambda: len([row for row in processes(app) if row["state"] == "running"]) == 2)
    names = containers(deployment)
    docker("kill", names[0])
    docker("rm", "-f", names[1])
    app.api.post(f"{app.path}/scale", json={"process_counts": {"web": 2}})
    until(lambda: [row["state"] for row in processes(app)] == ["running", "running"])
    assert containers(deployment) == names
    assert serving(server, app).text == "x\n"


def test_a_crash_is_shown_and_mended(server: Server, app: App) -> None:
    files = {"Procfile": "web: httpd -p $PORT -h /www; sleep 1000\nworker: sleep 0.2; exit 1\n"}
    build(app, {**web("x"), **files})
    assert ended(app, deploy(app))["status"] == "live"
    app.api.post(f"{app.path}/scale", json={"process_counts": {"worker": 1}})
    until(lambda: [row for row in processes(app) if int(str(row["restarts"])) > 1])
    assert serving(server, app).text == "x\n"


def test_a_router_that_is_killed_comes_back(own_server: Server) -> None:
    with own_server.client() as client:
        app = own_app(own_server, client)
        build(app, web("x"))
        assert ended(app, deploy(app))["status"] == "live"
        own_server.kill_router()
        # The next deployment needs the router at once, whoever notices first that it is gone.
        assert ended(app, deploy(app))["status"] == "live"
        assert serving(own_server, app).text == "x\n"
        own_server.kill_router()
        until(lambda: own_server.ready()["router"] == "ok")
        until(lambda: serves(own_server, app, "x\n"))


def own_app(server: Server, client: httpx.Client) -> App:
    return make_app(server, client, make_env(client))


def test_orphans_and_stopped_containers_at_a_start(own_server: Server) -> None:
    with own_server.client() as client:
        app = own_app(own_server, client)
        build(app, web("x"))
        deployment = deploy(app)
        assert ended(app, deployment)["status"] == "live"
        [name] = containers(deployment)
        platform = docker("inspect", name, "--format", '{{index .Config.Labels "barque.platform"}}')
        own_server.kill()
        docker("stop", "-t", "0", name)
        orphan = docker(
            "create", "--label", f"barque.platform={platform}",
            "--label", "barque.deployment_id=x", "barque/base:busybox", "sleep", "1000",
        )  # fmt: skip
        own_server.start()
        until(lambda: serves(own_server, app, "x\n"))
        until(lambda: orphan not in docker("ps", "-aq", "--no-trunc").split())


def test_secrets_are_nowhere_but_in_the_environment(own_server: Server) -> None:
    marker = "marker-7f3a9c2e-plainly-secret"
    with own_server.client() as client:
        app = own_app(own_server, client)
        levels = [app.path.rsplit("/", cut)[0] for cut in (6, 4, 2)] + [app.path]
        for number, level in enumerate(levels):
            body = {"name": f"TOKEN_{number}", "value": f"{marker}-{number}", "secret": True}
            answer = client.post(f"{level}/config", json=body)
            assert answer.status_code == 201, level
            assert marker not in answer.text
        procfile = "web: echo I have $TOKEN_0; exec httpd -f -p $PORT -h /www\n"
        build(app, {**web("x"), "Procfile": f"{procfile}release: echo $TOKEN_1\n"})
        deployment = deploy(app)
        row = ended(app, deployment)
        assert row["status"] == "live", row
        [name] = containers(deployment)
        environment = docker("exec", name, "env")
        assert all(f"TOKEN_{n}={marker}-{n}" in environment for n in range(4))
        ran = client.post(f"{app.path}/run", json={"command": "echo $TOKEN_2"}).text
        until(lambda: client.get(f"{app.path}/logs").json()["lines"])
        paths = (
            "", "/config", "/config/resolved", "/images", "/images/1", "/images/1/log",
            "/releases", "/releases/1", "/releases/1/log", "/deployments",
            f"/deployments/{deployment}", f"/deployments/{deployment}/log", "/processes", "/logs",
        )  # fmt: skip
        texts = [client.get(f"{app.path}{path}").text for path in paths]
        texts += [client.get(f"{levels[0]}/audit").text, ran]
        texts.append(docker("history", "--no-trunc", docker("inspect", "-f", "{{.Image}}", name)))
        listed = subprocess.run(["ps", "axww"], capture_output=True, text=True, check=True)
        texts.append(listed.stdout)
        assert not [text for text in texts if marker in text]
        assert "I have ********" in texts[paths.index("/logs")]
        for file in own_server.data_dir.rglob("*"):
            if file.is_file():
                assert marker.encode() not in file.read_bytes(), file


def test_an_instance_that_falls_ill_is_replaced(server: Server, app: App) -> None:
    build(app, web("well"))
    deployment = deploy(app)
    assert ended(app, deployment)["status"] == "live"
    app.api.post(f"{app.path}/scale", json={"process_counts": {"web": 2}})
    until(lambda: [row["state"] for row in processes(app)] == ["running", "running"])
    ill = containers(deployment)[0]
    before = docker("inspect", "-f", "{{.Id}}", ill)
    docker("exec", ill, "sh", "-c", "echo ill > /www/index.html; rm -r /www/_health")

    def replaced() -> bool:
        found = docker("ps", "-aq", "--no-trunc", "--filter", f"name={ill}")
        return found not in ("", before) and len(processes(app)) == 2

    until(replaced)
    path = f"{app.path}/deployments/{deployment}/log"
    until(lambda: "web-0 runs" in app.api.get(path).json()["log_text"])
    assert "web-0 is not healthy (it answered 404)" in app.api.get(path).json()["log_text"]
    assert {serving(server, app).text for _ in range(8)} == {"well\n"}
