"""Releases that are not fit to serve: the last that was live serves on, and the reason is said."""

import time

import pytest

from tests.conftest import App, Server
from tests.e2e.helpers import build, containers, deploy, docker, ended, serving, until, web

SERVE = "exec httpd -f -p $PORT -h /www"


@pytest.mark.parametrize(
    ("procfile", "said"),
    [
        ("web: echo farewell; exit 7\n", ("exit code 7", "farewell")),
        (
            "web: echo large; exec dd if=/dev/zero of=/dev/null bs=700M\n",
            ("out of memory", "large"),
        ),
        ("web: echo hidden; rm -r /www/_health; " + SERVE + "\n", ("answered 404", "hidden")),
        ("web: echo idle; exec sleep 1000\n", ("took no connection", "$PORT", "idle")),
        (f"web: {SERVE}\nworker: echo tired; sleep 0.3; exit 4\n", ("exit code 4", "tired")),
        (f"web: {SERVE}\nrelease: echo no such table; exit 5\n", ("exit code 5", "no such table")),
        (f"web: {SERVE}\nrelease: echo long; sleep 1000\n", ("deployment_timeout", "long")),
    ],
)
def test_the_old_serves_on(server: Server, app: App, procfile: str, said: tuple[str, ...]) -> None:
    build(app, web("old"))
    assert ended(app, deploy(app))["status"] == "live"
    build(app, {"Procfile": procfile})
    # Those that only a time-out ends are not waited for.
    endless = {"answered 404", "took no connection", "deployment_timeout"} & set(said)
    app.api.patch(app.path, json={"deployment_timeout": 3 if endless else 60})
    app.api.post(f"{app.path}/scale", json={"process_counts": {"worker": 1}})
    row = ended(app, deploy(app))
    assert row["status"] == "failed"
    for text in said:
        assert text in str(row["error_detail"])
    assert serving(server, app).text == "old\n"
    until(lambda: len(containers(app, "-a")) == 1)
    shown = app.api.get(f"{app.path}/deployments/{row['id']}/log").json()
    assert shown["status"] == "failed"
    assert said[-1] in shown["log_text"]


def test_old_workers_that_were_stopped_first_come_back(server: Server, app: App) -> None:
    worker = "worker: echo at work; exec sleep 1000\n"
    build(app, {**web("old"), "Procfile": f"web: {SERVE}\n{worker}"})
    app.api.patch(app.path, json={"update_order": "stop-first"})
    app.api.post(f"{app.path}/scale", json={"process_counts": {"worker": 2}})
    first = deploy(app)
    assert ended(app, first)["status"] == "live"
    build(app, {**web("new"), "Procfile": f"web: {SERVE}\nworker: echo tired; exit 4\n"})
    assert ended(app, deploy(app))["status"] == "failed"
    assert serving(server, app).text == "old\n"

    def all_run() -> bool:
        rows = app.api.get(f"{app.path}/processes").json()
        return [(row["type"], row["state"]) for row in rows] == [
            ("web", "running"), ("worker", "running"), ("worker", "running"),
        ]  # fmt: skip

    until(all_run)
    build(app, {"Procfile": f"web: {SERVE}\n{worker}"})
    second = deploy(app)

    def workers() -> list[str]:
        """List whose workers run, by the ids of their deployments."""
        label, shown = "label=barque.process=worker", '{{.Label "barque.deployment_id"}}'
        return docker("ps", "--filter", label, "--format", shown).split()

    while app.api.get(f"{app.path}/deployments/{second}").json()["status"] not in (
        "live",
        "failed",
    ):
        # Never both: a worker of the old release and one of the new.
        assert not {first, second} <= set(workers())
        time.sleep(0.02)
    assert ended(app, second)["status"] == "live"
    assert serving(server, app).text == "new\n"
    assert workers().count(second) == 2
