"""Deliveries to the platform, without anything to build: what they open, leave and remove."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.conftest import App, Server
from tests.e2e.helpers import push, until
from tests.e2e.test_contract import key_of
from tests.github.deliveries import pull, pushed

SHA, NEXT = "a" * 40, "b" * 40


@pytest.fixture
def repository(api: httpx.Client, env: str) -> str:
    """A service of the environment, whose repository is nowhere: its builds fail at once."""
    owner = env.split("/")[2]
    body = {"name": "api", "platform": "steam", "github_repository": f"{owner}/gone"}
    assert api.post(f"{env}/services", json=body).status_code == 201
    return f"{owner}/gone"


@pytest.fixture
def previewed(api: httpx.Client, env: str, repository: str) -> str:
    assert api.patch(env, json={"previews": True}).json()["previews"]
    return repository


def environments(api: httpx.Client, env: str) -> list[str]:
    return [one["slug"] for one in api.get(env.rpartition("/")[0]).json()]


def test_a_push_builds_what_it_touches(
    server: Server, api: httpx.Client, env: str, repository: str
) -> None:
    service = f"{env}/services/api"
    api.patch(service, json={"auto_deploy_branch": "main"})
    for fields, file, built in (
        ({"watch_paths": ["/apps/api/", "!*.md"]}, "apps/api/main.py", True),
        ({}, "apps/api/README.md", False), ({}, "apps/web/main.py", False),
        ({"watch_paths": None, "root_directory": "apps/web"}, "apps/web/README.md", True),
        ({}, "apps/api/main.py", False), ({"root_directory": None}, "README.md", True),
    ):  # fmt: skip
        assert api.patch(service, json=fields).status_code == 200
        commits = [{"id": SHA, "added": [], "modified": [file], "removed": []}]
        answer = pushed(server, repository, SHA, commits=commits).json()
        assert answer["result"] == ("started" if built else "ignored"), file
        assert [one["path"] for one in answer["skipped"]] == (
            [] if built else [service.replace("/projects", "").removeprefix("/orgs/").replace(
                "/envs", "").replace("/services", "")]
        )  # fmt: skip
    forced = pushed(server, repository, SHA, commits=commits, forced=True).json()
    assert forced["result"] == "started"
    for wrong in ([""], ["a\0b"], ["!"], "apps", ["a"] * 101):
        answer = api.patch(service, json={"watch_paths": wrong})
        assert answer.status_code == 422, wrong
        assert answer.json()["errors"][0]["field"].startswith("watch_paths")


def test_a_pull_request_opens_an_environment_and_closing_removes_it(
    server: Server, api: httpx.Client, env: str, previewed: str
) -> None:
    settings = {
        "health_check_path": "/up", "watch_paths": ["/src/"], "deployment_timeout": 77,
        "auto_deploy_branch": "main",
    }  # fmt: skip
    api.patch(f"{env}/services/api", json=settings)
    for level, name, secret in ((env, "SHARED", False), (f"{env}/services/api", "KEY", True)):
        body = {"name": name, "value": f"value of {name}", "secret": secret, "buildtime": True}
        assert api.post(f"{level}/config", json=body).status_code == 201
    other = {"name": "other", "platform": "wind", "github_repository": "no/where"}
    api.post(f"{env}/services", json=other)
    answer = pull(server, previewed, "opened", SHA, 1)
    assert answer["result"] == "started"
    made = env.replace("production", "pr-12")
    shown = api.get(made).json()
    assert (shown["env_type"], shown["ephemeral"], shown["previews"]) == ("preview", True, False)
    [service] = api.get(f"{made}/services").json()
    assert (service["slug"], service["platform"]) == ("api", "steam")
    whole = api.get(f"{made}/services/api").json()
    assert whole["url"].startswith("http://api.pr-12.shop.")
    settings["auto_deploy_branch"] = None  # type: ignore[assignment]
    assert {name: whole[name] for name in settings} == settings
    image = api.get(f"{made}/services/api/images/1").json()
    assert image["ref"] == SHA
    found = api.get(f"{made}/services/api/config/resolved").json()
    assert [(one["name"], one["value"], one["scope"]) for one in found] == [
        ("KEY", None, "service"), ("SHARED", "value of SHARED", "environment"),
    ]  # fmt: skip
    [row] = api.get(f"{env.partition('/envs')[0]}/previews").json()
    assert row == {
        "repository": previewed, "number": 12, "head_ref": "feature", "head_sha": SHA,
        "env": "pr-12",
    }  # fmt: skip
    deployment = answer["started"][0]["deployment_id"]
    path = f"{made}/services/api/deployments/{deployment}"
    assert until(lambda: api.get(path).json()["status"] == "failed")
    assert api.get(path).json()["trigger"] == "pull_request"
    assert pull(server, previewed, "synchronize", NEXT, 2, before=SHA)["result"] == "started"
    assert api.get(f"{made}/services/api/images/2").json()["ref"] == NEXT
    assert pull(server, previewed, "synchronize", NEXT, 2, before=SHA)["result"] == "ignored"
    assert pull(server, previewed, "labeled", NEXT, 3)["result"] == "ignored"
    closed = pull(server, previewed, "closed", NEXT, 4)
    assert (closed["result"], len(closed["removed"])) == ("removed", 1)
    assert api.get(made).status_code == 404
    for late in ("synchronize", "opened", "closed"):
        assert pull(server, previewed, late, "c" * 40, 3)["result"] == "ignored"
    assert environments(api, env) == ["production"]
    assert api.get(f"{env.partition('/envs')[0]}/previews").json() == []
    audit = api.get(f"/orgs/{env.split('/')[2]}/audit").json()["items"]
    rows = [(one["action"], one["target"].rpartition("shop/")[2]) for one in audit]
    assert rows[:9] == [
        ("env.delete", "pr-12"), ("service.pull_request", "pr-12/api"),
        ("image.build", "pr-12/api/images/2"), ("service.pull_request", "pr-12/api"),
        ("image.build", "pr-12/api/images/1"), ("service.create", "pr-12/api"),
        ("env.create", "pr-12"), ("service.create", "production/other"),
        ("config.set", "production/api/config/KEY"),
    ]  # fmt: skip
    assert {one["actor"] for one in audit[:7]} == {"github:ann"}
    assert "value of" not in str(audit)
    assert pull(server, previewed, "reopened", NEXT, 5)["result"] == "started"
    assert api.get(f"{made}/services/api/images/1").json()["ref"] == NEXT


def test_deliveries_at_once_open_one_environment(
    server: Server, api: httpx.Client, env: str, previewed: str
) -> None:
    same = {"X-GitHub-Delivery": str(uuid.uuid4())}

    def deliver(number: int) -> dict[str, Any]:
        headers = same if number % 2 else {}
        return pull(server, previewed, "opened", SHA, 1, headers=headers)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(deliver, range(8)))
    assert sorted(one["result"] for one in answers)[-1] == "started"
    assert [one["result"] for one in answers].count("started") == 1
    assert environments(api, env) == ["pr-12", "production"]
    assert api.get(f"{env.replace('production', 'pr-12')}/services/api/images").json()[
        "pagination"
    ]["total"] == 1  # fmt: skip


def test_forks_get_no_secrets_unless_an_admin_lets_them(
    server: Server, api: httpx.Client, env: str, previewed: str
) -> None:
    for second, fork in enumerate(("stranger/gone", None), 1):
        answer = pull(server, previewed, "opened", SHA, second, head_repository=fork)
        assert answer["result"] == "ignored"
        assert "previews_from_forks" in answer["skipped"][0]["reason"]
    assert environments(api, env) == ["production"]
    app = App(api, f"{env}/services/api", server.repositories)
    with server.client(key_of(app, "developer")) as developer:
        assert developer.patch(env, json={"previews": False}).status_code == 200
        forks = {"previews_from_forks": True}
        assert developer.patch(env, json=forks).status_code == 403
        made = developer.post(env.rpartition("/")[0], json={"name": "x", **forks})
        assert made.status_code == 403
        api.patch(env, json={"protected": True})
        assert developer.patch(env, json={"previews": True}).status_code == 403
    assert pull(server, previewed, "opened", SHA, 3)["result"] == "ignored"
    api.patch(env, json={"previews": True, **forks})
    answer = pull(server, previewed, "opened", SHA, 4, head_repository="stranger/gone")
    assert answer["result"] == "started"


def test_a_taken_name_and_a_removed_environment(
    server: Server, api: httpx.Client, env: str, previewed: str
) -> None:
    parent = env.rpartition("/")[0]
    assert api.post(parent, json={"name": "pr-12"}).status_code == 201
    assert pull(server, previewed, "opened", SHA, 1)["result"] == "started"
    assert environments(api, env) == ["pr-12", "pr-12-gone", "production"]
    assert api.delete(f"{parent}/pr-12-gone?cascade=true").status_code == 204
    assert pull(server, previewed, "synchronize", NEXT, 2)["result"] == "started"
    assert environments(api, env) == ["pr-12", "pr-12-gone", "production"]
    assert pull(server, previewed, "closed", NEXT, 3)["result"] == "removed"
    assert environments(api, env) == ["pr-12", "production"]


def test_who_wants_to_keep_a_preview_can(
    server: Server, api: httpx.Client, env: str, previewed: str
) -> None:
    pull(server, previewed, "opened", SHA, 1)
    kept = env.replace("production", "pr-12")
    assert api.patch(kept, json={"ephemeral": False}).status_code == 200
    assert pull(server, previewed, "closed", SHA, 2)["removed"] == []
    assert api.get(kept).status_code == 200


def test_a_project_has_so_many_previews_and_no_more(
    server: Server, api: httpx.Client, env: str, previewed: str
) -> None:
    for number in range(1, 11):
        answer = pull(server, previewed, "opened", SHA, 1, number=number)
        assert answer["result"] == "started"
    refused = pull(server, previewed, "opened", SHA, 1, number=11)
    assert refused["result"] == "ignored"
    assert "BARQUE_PREVIEW_LIMIT" in refused["skipped"][0]["reason"]
    pull(server, previewed, "closed", SHA, 2, number=4)
    assert pull(server, previewed, "synchronize", NEXT, 2, number=11)["result"] == "started"


@pytest.mark.parametrize(
    "body",
    [
        {}, {"action": "opened"}, {"pull_request": 1},
        {"action": "opened", "repository": {"full_name": "a/b"}, "pull_request": {
            "number": 0, "head": {"sha": SHA}}},
        {"action": "opened", "repository": {"full_name": "a\0b"}, "pull_request": {
            "number": 1, "head": {"sha": SHA}}},
    ],
)  # fmt: skip
def test_what_is_no_delivery_is_refused(server: Server, body: dict[str, object]) -> None:
    answer = push(server, body, **{"X-GitHub-Event": "pull_request"})
    assert answer.status_code == 422
    assert answer.json()["errors"]
