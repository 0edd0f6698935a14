"""The platform and a GitHub that it is an App of: private clones, statuses, previews."""

import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import App, Server, free_port, make_app, make_env
from tests.e2e.helpers import containers, ended, serves, until, web
from tests.github.deliveries import pull, pushed, repository_of
from tests.github.standin import APP, Failure, GitHub, serving_github


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("github")


@pytest.fixture(scope="module")
def running(folder: Path) -> Iterator[GitHub]:
    with serving_github(folder / "repositories") as github:
        yield github


@pytest.fixture
def github(running: GitHub) -> GitHub:
    running.failure, running.installed = None, True
    return running


@pytest.fixture(scope="module")
def platform(folder: Path, running: GitHub) -> Iterator[Server]:
    key = folder / "app.pem"
    key.write_bytes(running.private_key)
    settings = {
        "BARQUE_GIT_BASE_URL": running.url, "BARQUE_GITHUB_API_URL": f"{running.url}/api",
        "BARQUE_GITHUB_APP_ID": APP, "BARQUE_GITHUB_APP_PRIVATE_KEY_FILE": str(key),
    }  # fmt: skip
    server = Server(folder / "barque", free_port(), environment=settings)
    server.start()
    yield server
    server.end()


@pytest.fixture
def app(platform: Server) -> Iterator[App]:
    with platform.client() as client:
        found = make_app(platform, client, make_env(client))
        client.patch(found.path, json={"auto_deploy_branch": "main"})
        yield found


def told(github: GitHub, sha: str) -> list[dict[str, Any]]:
    return [one for one in github.statuses if one["sha"] == sha]


def last(github: GitHub, sha: str) -> dict[str, Any]:
    """Wait until GitHub was told how a commit ended, and return that."""
    until(lambda: told(github, sha) and told(github, sha)[-1]["state"] != "pending", 120)
    return told(github, sha)[-1]


def written(server: Server) -> str:
    found = [one.read_bytes() for one in server.data_dir.rglob("*") if one.is_file()]
    return b"".join(found).decode(errors="replace")


def test_a_push_is_cloned_as_the_app_and_github_hears_how_it_went(
    platform: Server, github: GitHub, app: App
) -> None:
    sha = app.commit(web("private"))
    [started] = pushed(platform, repository_of(app), sha).json()["started"]
    assert ended(app, started["deployment_id"])["status"] == "live"
    assert serves(platform, app, "private\n")
    said = last(github, sha)
    assert said["state"] == "success"
    assert said["target_url"] == app.api.get(app.path).json()["url"]
    assert said["context"] == f"barque/{started['service']}"
    assert {one["state"] for one in told(github, sha)} == {"pending", "success"}
    used = [one for one in github.tokens.values() if one[1] == [app.path.split("/")[-1]]]
    assert [one[2] for one in used].count({"contents": "read"}) == 1
    assert [one[2] for one in used].count({"statuses": "write"}) == 1
    again = app.commit({"Dockerfile": "FROM barque/base:busybox\nRUN exit 3\n"})
    pushed(platform, repository_of(app), again)
    said = last(github, again)
    assert said["state"] == "failure"
    assert "image 2 was not built" in said["description"]
    assert len(github.tokens) == len(set(github.made))
    assert sum(one[1] == used[0][1] for one in github.tokens.values()) == 2, "tokens are kept"
    kept = written(platform) + app.log(1) + app.log(2)
    assert not [token for token in github.made if token in kept]


def test_github_being_gone_stops_nothing_and_is_made_up_for(
    platform: Server, github: GitHub, app: App
) -> None:
    first = app.commit(web("first"))
    pushed(platform, repository_of(app), first)
    assert last(github, first)["state"] == "success"
    limited = Failure(403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1"})
    for failure in (limited, Failure(503)):
        github.failure = failure
        sha = app.commit(web(f"at {failure.status}"))
        [started] = pushed(platform, repository_of(app), sha).json()["started"]
        assert ended(app, started["deployment_id"])["status"] == "live"
        before = len(github.calls)
        until(lambda: len(github.calls) > before)  # noqa: B023
        if failure.status == 503:
            platform.kill()
            platform.start()
        assert not told(github, sha)
        github.failure = None
        assert last(github, sha)["state"] == "success"


def test_a_token_that_ended_or_is_refused_is_replaced(
    platform: Server, github: GitHub, app: App
) -> None:
    github.lifetime = timedelta(minutes=1)
    try:
        first = app.commit(web("first"))
        pushed(platform, repository_of(app), first)
        assert last(github, first)["state"] == "success"
        count = len(github.made)
        github.lifetime = timedelta(hours=1)
        second = app.commit(web("second"))
        pushed(platform, repository_of(app), second)
        assert last(github, second)["state"] == "success"
        assert len(github.made) == count + 2, "one to read with, one to write with"
        for token in github.made:
            if github.tokens[token][2] == {"statuses": "write"}:
                github.tokens[token] = (*github.tokens[token][:2], {"revoked": "write"})
        known = dict(github.tokens)
        github.tokens.clear()
        third = app.commit(web("third"))
        github.tokens.update({t: one for t, one in known.items() if "contents" in one[2]})
        pushed(platform, repository_of(app), third)
        assert last(github, third)["state"] == "success"
    finally:
        github.lifetime = timedelta(hours=1)


def test_an_organization_has_its_own_token(platform: Server, github: GitHub, app: App) -> None:
    github.installed = False
    sha = app.commit(web("owned"))
    image = app.image(app.build(sha))
    assert image["status"] == "error"
    assert "git-credentials" in str(image["error_detail"])
    credentials = f"{app.path.partition('/projects')[0]}/git-credentials"
    host = github.url.removeprefix("http://")
    made = app.api.post(
        credentials,
        json={"name": "own", "kind": "token", "host": host, "value": github.own_token},
    )
    assert made.status_code == 201, made.text
    other = {"name": "other", "kind": "token", "host": "example.org", "value": "ghp_other"}
    assert app.api.post(credentials, json=other).status_code == 201
    assert app.image(app.build(sha))["status"] == "built"
    narrow = {"repository": "no/where", "name": "narrow", "value": "ghp_narrow"}
    assert app.api.post(credentials, json={**other, "host": host, **narrow}).status_code == 201
    version = app.build(sha)
    assert app.image(version)["status"] == "built"
    audit = app.api.get(f"{app.path.partition('/projects')[0]}/audit").text
    kept = written(platform) + made.text + app.log(version) + audit
    assert github.own_token not in kept
    assert app.api.delete(f"{credentials}/own").status_code == 204
    assert app.image(app.build(sha))["status"] == "error"


def test_a_pull_request_is_served_and_taken_away(
    platform: Server, github: GitHub, app: App
) -> None:
    base = app.path.partition("/services")[0]
    app.api.patch(base, json={"previews": True})
    secret = {"name": "GREETING", "value": "hello-secret", "secret": True}
    app.api.post(f"{base}/config", json=secret)
    app.commit(web("main"))
    app.git("checkout", "-q", "-b", "feature")
    sha, repository = app.commit(web("preview")), repository_of(app)
    [started] = pull(platform, repository, "opened", sha, 1)["started"]
    preview = App(app.api, app.path.replace("production", "pr-12"), app.repository)
    assert ended(preview, started["deployment_id"])["status"] == "live"
    assert serves(platform, preview, "preview\n")
    [name] = containers(preview)
    inside = ["docker", "exec", name, "sh", "-c", "echo $GREETING $BARQUE_ENV"]
    done = subprocess.run(inside, capture_output=True, text=True, check=True)
    assert done.stdout == "hello-secret pr-12\n"
    said = last(github, sha)
    assert (said["state"], said["target_url"]) == (
        "success",
        app.api.get(preview.path).json()["url"],
    )
    app.commit({"slow": "x"})
    slow = app.commit({"Dockerfile": "FROM barque/base:busybox\nRUN sleep 60\n"})
    pull(platform, repository, "synchronize", slow, 2)
    until(lambda: app.api.get(f"{preview.path}/images/2").json()["status"] == "building")
    env = app.api.get(preview.path.partition("/services")[0]).json()["id"]
    service = app.api.get(preview.path).json()["id"]
    address = app.api.get(preview.path).json()["url"].removeprefix("http://")
    assert pull(platform, repository, "closed", slow, 3)["result"] == "removed"
    until(lambda: not docker_has("ps", "-aq", f"label=barque.service_id={service}"))
    until(lambda: not docker_has("network", "ls", "-q", f"name={env}"))
    url = f"http://127.0.0.1:{platform.apps_port}/"
    gone = httpx.get(url, headers={"Host": address.partition(":")[0]})
    assert gone.status_code in (404, 503)
    removed = last(github, slow)
    assert (removed["state"], removed["description"][:23]) == ("error", "the service was removed")
    assert pull(platform, repository, "synchronize", "c" * 40, 2)["result"] == "ignored"
    assert app.api.get(preview.path).status_code == 404


def docker_has(*arguments: str) -> bool:
    *command, pattern = arguments
    done = subprocess.run(
        ["docker", *command, "--filter", pattern], capture_output=True, text=True, check=True
    )
    return bool(done.stdout.strip())
