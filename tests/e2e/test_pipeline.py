"""Pipeline, promotion and GitHub's hook, with real builds and deployments."""

import uuid

from tests.conftest import App, Server, make_app
from tests.e2e.helpers import build, deploy, ended, push, serving, web


def test_build_and_deploy_in_one(server: Server, app: App) -> None:
    project = app.path.partition("/envs/")[0]
    app.commit(web("one"))
    body = {"service": "api", "env": "production"}
    answer = app.api.post(f"{project}/pipeline/deploy", json=body)
    assert answer.status_code == 202, answer.text
    ids = answer.json()
    assert (ids["image_version"], ids["release_version"]) == (1, 1)
    assert ended(app, ids["deployment_id"])["status"] == "live"
    assert serving(server, app).text == "one\n"
    release = app.api.get(f"{app.path}/releases/1").json()
    assert release["status"] == "live"
    assert release["processes"] == {"web": ""}
    assert len(release["commit_sha"]) == 40
    app.commit({"Dockerfile": "FROM barque/base:busybox\nRUN exit 4\n"})
    failing = app.api.post(f"{project}/pipeline/deploy", json=body).json()
    row = ended(app, failing["deployment_id"])
    assert row["status"] == "failed"
    assert "image 2 was not built" in str(row["error_detail"])
    assert serving(server, app).text == "one\n"
    metrics = app.api.get(f"{project}/pipeline/metrics").json()
    for kind in ("builds", "deployments"):
        assert (metrics[kind]["total"], metrics[kind]["succeeded"]) == (2, 1)
        assert metrics[kind]["success_rate"] == 0.5
        assert metrics[kind]["median_seconds"] > 0
    [status] = app.api.get(f"{project}/pipeline/status", params={"env": "production"}).json()[
        "services"
    ]
    assert status["latest_image"]["status"] == "error"
    assert status["latest_deployment"]["status"] == "failed"
    history = app.api.get(f"{project}/pipeline/history", params={"per_page": 3}).json()
    assert history["pagination"]["total"] == 4
    assert [event["kind"] for event in history["items"]] == ["deployment", "build", "deployment"]
    assert history["items"][0]["actor"] == "admin@localhost"
    for params in ({"env": "x"}, {"env": "production", "service": "x"}):
        assert app.api.get(f"{project}/pipeline/history", params=params).status_code == 404
    service = app.api.get(app.path).json()
    assert service["latest_release"]["version"] == 2
    assert service["latest_image"]["version"] == 2
    assert service["latest_deployment"]["status"] == "failed"


def test_a_newer_deployment_supersedes_those_that_wait(app: App) -> None:
    build(app, web("x"))
    found = [deploy(app) for _ in range(4)]
    statuses = [ended(app, one)["status"] for one in found]
    assert statuses[-1] == "live"
    assert set(statuses[1:-1]) <= {"superseded"}
    assert [row["status"] for row in app.api.get(f"{app.path}/deployments").json()["items"]].count(
        "live"
    ) == 1


def test_promotion(server: Server, app: App) -> None:
    project = app.path.partition("/envs/")[0]
    assert app.api.post(f"{project}/envs", json={"name": "Staging"}).status_code == 201
    target = make_app(server, app.api, f"{project}/envs/staging")
    body = {"service": "api", "source_env": "production", "target_env": "staging"}
    assert app.api.post(f"{project}/promote", json=body).status_code == 409
    for level, name, value in (
        (app.path, "SAME", "1"), (target.path, "SAME", "1"), (app.path, "COLOUR", "red"),
        (target.path, "COLOUR", "blue"), (app.path, "OLD", "1"), (target.path, "NEW", "1"),
    ):  # fmt: skip
        secret = {"name": name, "value": value, "secret": name == "COLOUR"}
        app.api.post(f"{level}/config", json=secret)
    build(app, web("promoted"))
    assert ended(app, deploy(app))["status"] == "live"
    preview = app.api.get(f"{project}/promote/preview", params=body).json()
    assert preview["config"] == {
        "only_in_source": ["OLD"], "only_in_target": ["NEW"], "different": ["COLOUR"],
        "same": ["SAME"],
    }  # fmt: skip
    assert preview["source"]["image_version"] == 1
    assert preview["target"]["image_version"] is None
    answer = app.api.post(f"{project}/promote", json=body)
    assert answer.status_code == 202
    assert ended(target, answer.json()["deployment_id"])["status"] == "live"
    assert serving(server, target).text == "promoted\n"
    here = app.api.get(f"{app.path}/images/1").json()
    there = app.api.get(f"{target.path}/images/{answer.json()['image_version']}").json()
    assert here["image_digest"] == there["image_digest"]
    frozen = app.api.get(f"{target.path}/releases/1").json()["config_snapshot"]
    assert [one["name"] for one in frozen] == ["COLOUR", "NEW", "SAME"]
    assert app.api.get(f"{project}/promote/preview", params=body).json()["same_image"]
    assert app.api.delete(app.path).status_code == 204
    assert ended(target, deploy(target))["status"] == "live"
    for wrong, status in (("production", 422), ("nowhere", 404)):
        answer = app.api.post(f"{project}/promote", json={**body, "target_env": wrong})
        assert answer.status_code == status


def test_a_push_builds_and_deploys(server: Server, app: App) -> None:
    app.api.patch(app.path, json={"auto_deploy_branch": "main"})
    sha = app.commit(web("pushed"))
    repository = app.api.get(app.path).json()["github_repository"]
    body: dict[str, object] = {
        "ref": "refs/heads/main", "after": sha, "repository": {"full_name": repository},
        "pusher": {"name": "ann"},
    }  # fmt: skip
    assert push(server, body, **{"X-Hub-Signature-256": "sha256=x"}).status_code == 401
    assert push(server, {"ref": 3}).status_code == 422
    other = push(server, {**body, "ref": "refs/heads/other"})
    assert (other.status_code, other.json()["result"]) == (202, "ignored")
    ping = push(server, {"zen": "x"}, **{"X-GitHub-Event": "ping"})
    assert (ping.status_code, ping.json()["result"]) == (202, "ignored")
    delivery = {"X-GitHub-Delivery": str(uuid.uuid4())}
    [started] = push(server, body, **delivery).json()["started"]
    assert push(server, body, **delivery).json()["result"] == "duplicate"
    row = ended(app, started["deployment_id"])
    assert (row["status"], row["trigger"], row["actor"]) == ("live", "push", "github:ann")
    assert serving(server, app).text == "pushed\n"
    assert app.api.get(f"{app.path}/images").json()["pagination"]["total"] == 1
