"""Webhooks, received."""

import sqlite3
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tests.conftest import App, Server, make_app, make_env
from tests.e2e.helpers import build as build_well
from tests.e2e.helpers import deploy, ended, until, web
from tests.receiver import Receiver, receiver


@pytest.fixture
def hooked() -> Iterator[Receiver]:
    with receiver() as running:
        yield running


def hook(app: App, to: Receiver, **fields: object) -> tuple[str, str]:
    """Make a webhook of a service's organization; return its path and secret."""
    org = app.path.partition("/projects")[0]
    answer = app.api.post(f"{org}/webhooks", json={"url": to.url, **fields})
    assert answer.status_code == 201, answer.text
    return f"{org}/webhooks/{answer.json()['id']}", answer.json()["secret"]


def deliveries(api: httpx.Client, path: str) -> list[dict[str, object]]:
    return list(api.get(f"{path}/deliveries").json()["items"])


def fail_to_build(app: App) -> int:
    """Build nothing: that is begun, and over at once."""
    version = app.build()
    assert app.image(version)["status"] == "error"
    return version


def test_builds_are_told_of_and_signed(app: App, hooked: Receiver) -> None:
    path, secret = hook(app, hooked)
    fail_to_build(app)
    until(lambda: len(hooked.received) == 2)
    assert hooked.events() == ["build.started", "build.failed"]
    assert all(one.signed_with(secret) for one in hooked.received)
    failed = hooked.received[1]
    image = app.api.get(f"{app.path}/images/1").json()
    told = failed.said["data"]
    assert told["image"] == {name: image[name] for name in told["image"]}
    assert "no commits yet" in told["image"]["error_detail"]
    org, _, project, _, env, _, service = app.path.removeprefix("/orgs/").split("/")
    where = {"org": org, "project": project, "env": env, "service": service}
    assert told.items() >= where.items()
    assert failed.headers["content-type"] == "application/json"
    assert failed.headers["barque-event"] == "build.failed"
    until(lambda: all(one["status"] == "delivered" for one in deliveries(app.api, path)))
    rows = deliveries(app.api, path)
    assert [row["event"] for row in rows] == ["build.failed", "build.started"]
    assert rows[0]["id"] == failed.headers["barque-delivery"]
    assert rows[0]["event_id"] == failed.headers["webhook-id"]
    assert (rows[0]["attempts"], rows[0]["response_status"]) == (1, 204)


def test_deployments_and_rollbacks(app: App, hooked: Receiver) -> None:
    names = ["build.succeeded", "build.cancelled", "deployment.started", "deployment.live",
             "deployment.failed", "deployment.rolled_back"]  # fmt: skip
    hook(app, hooked, events=names)
    build_well(app, web("one"))
    for verb in ("deploy", "deploy", "rollback"):
        app.api.post(f"{app.path}/config", json={"name": "N", "value": verb})
        assert ended(app, deploy(app, verb))["status"] == "live"
    app.api.patch(app.path, json={"health_check_path": "/nowhere", "deployment_timeout": 1})
    assert ended(app, deploy(app))["status"] == "failed"
    rolled = ["deployment.started", "deployment.live"]
    wanted = ["build.succeeded", *rolled, *rolled, *rolled, "deployment.rolled_back",
              "deployment.started", "deployment.failed"]  # fmt: skip
    until(lambda: len(hooked.received) >= len(wanted))
    assert hooked.events() == wanted
    back, failed = hooked.received[7].said["data"], hooked.received[-1].said["data"]
    assert (back["release"]["version"], back["deployment"]["trigger"]) == (1, "rollback")
    assert "/nowhere" in failed["deployment"]["error_detail"]


def test_only_what_was_asked_for(app: App, hooked: Receiver) -> None:
    org = app.path.partition("/projects")[0]
    app.api.post(f"{org}/projects", json={"name": "Other"})
    hook(app, hooked, project="other")
    hook(app, hooked, events=["deployment.live"])
    inactive, _ = hook(app, hooked, active=False)
    path, _ = hook(app, hooked, events=["build.failed"], project="shop")
    fail_to_build(app)
    until(lambda: [one["status"] for one in deliveries(app.api, path)] == ["delivered"])
    assert hooked.events() == ["build.failed"]
    assert deliveries(app.api, inactive) == []


def test_ping_rotation_and_sending_again(app: App, hooked: Receiver) -> None:
    path, old = hook(app, hooked)
    key = {"Idempotency-Key": path}
    first = app.api.post(f"{path}/ping", headers=key)
    assert first.status_code == 202
    assert app.api.post(f"{path}/ping", headers=key).json() == first.json()
    until(lambda: hooked.received)
    new = app.api.post(f"{path}/rotate").json()["secret"]
    again = app.api.post(f"{path}/deliveries/{first.json()['id']}/redeliver")
    assert again.status_code == 202
    assert again.json()["id"] != first.json()["id"]
    assert again.json()["event_id"] == first.json()["event_id"]
    until(lambda: len(hooked.received) == 2)
    before, after = hooked.received
    assert (before.said["type"], before.body) == ("ping", after.body)
    assert before.headers["webhook-id"] == after.headers["webhook-id"]
    assert [before.signed_with(one) for one in (old, new)] == [True, False]
    # For a day, whoever has not heard of the new secret yet can go by the old one.
    assert [after.signed_with(one) for one in (old, new)] == [True, True]


def test_what_fails_is_repeated_and_can_be_sent_again(app: App, hooked: Receiver) -> None:
    hooked.answer = lambda one: 500 if one.said["type"] == "ping" else 204
    path, _ = hook(app, hooked)
    ping = app.api.post(f"{path}/ping").json()["id"]
    until(lambda: len(hooked.received) >= 3)
    row = deliveries(app.api, path)[0]
    assert (row["status"], row["response_status"]) == ("pending", 500)
    assert row["next_attempt"]
    assert "500" in str(row["error"])
    assert app.api.get(path).json()["failing_since"]
    # What fails does not hold up what comes after it.
    fail_to_build(app)
    until(lambda: hooked.events()[-1] == "build.failed")
    hooked.answer = lambda _: 200
    again = app.api.post(f"{path}/deliveries/{ping}/redeliver").json()["id"]

    def delivered() -> bool:
        rows = {row["id"]: row["status"] for row in deliveries(app.api, path)}
        return rows[again] == "delivered"

    until(delivered)
    assert app.api.get(path).json()["failing_since"] is None


def test_one_that_is_gone_is_made_inactive(app: App, hooked: Receiver) -> None:
    hooked.answer = lambda _: 410
    path, _ = hook(app, hooked)
    app.api.post(f"{path}/ping")
    until(lambda: not app.api.get(path).json()["active"])
    assert deliveries(app.api, path)[0]["status"] == "failed"
    assert "410" in app.api.get(path).json()["disabled_reason"]
    row = app.api.get(f"{path.partition('/webhooks')[0]}/audit").json()["items"][0]
    assert (row["action"], row["actor"]) == ("webhook.disable", "barque")
    active = app.api.patch(path, json={"active": True}).json()
    assert (active["failing_since"], active["disabled_reason"]) == (None, None)


def test_one_that_fails_for_days_is_made_inactive(
    server: Server, app: App, hooked: Receiver
) -> None:
    hooked.answer = lambda _: 500
    path, _ = hook(app, hooked)
    app.api.post(f"{path}/ping")
    until(lambda: app.api.get(path).json()["failing_since"])
    assert app.api.get(path).json()["active"]
    with sqlite3.connect(server.data_dir / "barque.db") as database:
        long_ago = (datetime.now(UTC) - timedelta(days=5, minutes=1)).isoformat(" ")
        wanted = (long_ago.partition("+")[0], path.rpartition("/")[2])
        database.execute("UPDATE webhooks SET failing_since = ? WHERE id = ?", wanted)
    until(lambda: not app.api.get(path).json()["active"])
    assert "5 days" in app.api.get(path).json()["disabled_reason"]
    # Its deliveries wait until somebody makes it active again.
    waiting = deliveries(app.api, path)[0]
    assert waiting["status"] == "pending"
    hooked.answer = lambda _: 200
    app.api.patch(path, json={"active": True})
    until(lambda: deliveries(app.api, path)[0]["status"] == "delivered")


def test_a_receiver_that_hangs_holds_up_no_other(app: App, hooked: Receiver) -> None:
    release = threading.Event()
    with receiver() as stuck:
        stuck.answer = lambda _: (release.wait(), 204)[1]
        hook(app, stuck)
        hook(app, hooked)
        fail_to_build(app)
        until(lambda: len(hooked.received) == 2)
        assert stuck.received == []
        release.set()


def test_nothing_is_lost_when_the_platform_is_killed(own_server: Server) -> None:
    with own_server.client() as client, receiver() as gone:
        app = make_app(own_server, client, make_env(client))
        path, secret = hook(app, gone)
        port = gone.port
        # Nobody listens there when the events happen, and the platform dies on them.
        gone.answer = lambda _: 503
        fail_to_build(app)
        own_server.kill()
    own_server.start()
    with own_server.client() as client, receiver(port) as back:
        until(lambda: {"build.started", "build.failed"} <= set(back.events()))
        assert all(one.signed_with(secret) for one in back.received)
        until(lambda: {row["status"] for row in deliveries(client, path)} == {"delivered"})
        ids = {row["event_id"] for row in deliveries(client, path)}
        assert {one.headers["webhook-id"] for one in back.received} == ids
