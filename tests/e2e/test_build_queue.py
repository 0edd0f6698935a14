"""The queue of builds: whose turn it is, what leaves it, what is left out of a log."""

import hashlib
import hmac
import json
import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.conftest import App, Server, free_port, make_app, make_env
from tests.e2e.helpers import until
from tests.e2e.test_builds import slow
from tests.receiver import receiver


@pytest.fixture
def narrow(tmp_path: Path) -> Iterator[Server]:
    """A platform that builds one at a time, and keeps little of what builds say."""
    settings = {"BARQUE_BUILD_CONCURRENCY": "1", "BARQUE_BUILD_LOG_BYTES": "4096"}
    running = Server(tmp_path / "barque", free_port(), environment=settings)
    running.start()
    yield running
    running.end()


def begun(*apps: App) -> list[tuple[str, int]]:
    """List the builds of services that were begun, in that order, by organization and version."""
    rows = [
        (row["started"], app.path.split("/")[2], row["version"])
        for app in apps
        for row in app.api.get(f"{app.path}/images").json()["items"]
        if row["started"]
    ]
    return [(org, version) for _, org, version in sorted(rows)]


def positions(app: App) -> dict[int, int | None]:
    rows = app.api.get(f"{app.path}/images").json()["items"]
    return {row["version"]: row["queue_position"] for row in rows}


def test_organizations_take_turns_also_after_a_kill(narrow: Server) -> None:
    with narrow.client() as client:
        many, few = (make_app(narrow, client, make_env(client)) for _ in range(2))
        many.commit({"Dockerfile": "FROM barque/base:not-there\n"})
        many.git("checkout", "-q", "-b", "slow")
        many.commit(slow(600))
        many.git("checkout", "-q", "main")
        first = many.build("slow")
        many.image(first, "building")
        for _ in range(4):
            many.build()
        few.build()
        few.build()
        assert positions(many) == {1: None, 2: 2, 3: 4, 4: 5, 5: 6}
        assert positions(few) == {1: 1, 2: 3}
        assert client.get(f"{few.path}/images/2").json()["queue_position"] == 3
        project = few.path.partition("/envs")[0]
        (row,) = client.get(f"{project}/pipeline/status").json()["services"]
        assert (row["queued_builds"], row["queue_position"]) == (2, 1)
        narrow.kill()
        narrow.start()
        # What was cut off has its turn first, and the others keep their places.
        many.image(first, "building")
        assert positions(few) == {1: 1, 2: 3}
        client.post(f"{many.path}/images/{first}/cancel").raise_for_status()
        many.image(5)
        few.image(2)
        one, other = many.path.split("/")[2], few.path.split("/")[2]
        assert begun(many, few) == [
            (one, 1), (other, 1), (one, 2), (other, 2), (one, 3), (one, 4), (one, 5),
        ]  # fmt: skip


def test_a_queued_build_can_be_cancelled(narrow: Server) -> None:
    with narrow.client() as client:
        app = make_app(narrow, client, make_env(client))
        app.commit(slow(600))
        running, queued, last = app.build(), app.build(), app.build()
        app.image(running, "building")
        client.post(f"{app.path}/images/{queued}/cancel").raise_for_status()
        image = app.image(queued)
        assert (image["status"], image["started"]) == ("cancelled", None)
        assert positions(app) == {running: None, queued: None, last: 1}
        for version in (running, last):
            client.post(f"{app.path}/images/{version}/cancel").raise_for_status()
            assert app.image(version)["status"] == "cancelled"


def test_a_build_that_takes_too_long_is_ended(narrow: Server) -> None:
    narrow.kill()
    narrow.start(BARQUE_BUILD_TIMEOUT="1")
    with narrow.client() as client:
        app = make_app(narrow, client, make_env(client))
        app.commit(slow(600))
        image = app.image(app.build())
        assert image["status"] == "error"
        assert image["error_detail"] == "the build took over 1 s"
        # It is really over: the next has its turn.
        app.commit({"Dockerfile": "FROM barque/base:not-there\n"})
        assert app.image(app.build())["status"] == "error"


def push(server: Server, app: App, branch: str = "main") -> int:
    """Have GitHub tell of a push; return the version that is built for it."""
    repository = app.api.get(app.path).json()["github_repository"]
    body = json.dumps({
        "ref": f"refs/heads/{branch}", "after": app.git("rev-parse", "HEAD"),
        "repository": {"full_name": repository}, "pusher": {"name": "t"},
    }).encode()  # fmt: skip
    signed = hmac.digest(server.webhook_secret.encode(), body, hashlib.sha256).hex()
    headers = {
        "X-GitHub-Event": "push", "X-GitHub-Delivery": uuid.uuid4().hex,
        "X-Hub-Signature-256": f"sha256={signed}",
    }  # fmt: skip
    url = f"{server.url}/api/v1/integrations/github/hooks"
    answer = httpx.post(url, content=body, headers=headers, timeout=60)
    assert answer.status_code == 202, answer.text
    (started,) = answer.json()["started"]
    return int(started["image_version"])


def test_a_newer_push_takes_the_place_of_a_queued_one(narrow: Server) -> None:
    with narrow.client() as client, receiver() as hooked:
        app = make_app(narrow, client, make_env(client))
        app.api.patch(app.path, json={"auto_deploy_branch": "main"})
        org = app.path.partition("/projects")[0]
        body = {"url": hooked.url, "events": ["build.cancelled", "deployment.superseded"]}
        assert client.post(f"{org}/webhooks", json=body).status_code == 201
        app.commit(slow(600))
        running = push(narrow, app)
        app.image(running, "building")
        by_hand, older, newer = app.build(), push(narrow, app), push(narrow, app)
        image = app.image(older)
        assert image["status"] == "cancelled"
        assert image["error_detail"] == f"superseded by version {newer}"
        assert "superseded" in app.log(older)
        # Neither what runs, nor what somebody asked for by hand.
        assert app.image(running, "building")["status"] == "building"
        assert positions(app) == {running: None, by_hand: 1, older: None, newer: 2}
        # A push to another branch is another matter.
        app.api.patch(app.path, json={"auto_deploy_branch": "other"})
        other = push(narrow, app, "other")
        assert positions(app)[newer] == 2
        rows = client.get(f"{app.path}/deployments").json()["items"]
        # Each push's deployment takes the place of the one before it, which waits for its image.
        assert [row["status"] for row in rows] == ["queued"] + 3 * ["superseded"]
        until(lambda: hooked.events().count("deployment.superseded") == 3)
        # Nothing will become of the release of the build that was superseded.
        until(lambda: client.get(f"{app.path}/releases/2").json()["status"] == "failed")
        (told,) = [one.said for one in hooked.received if one.said["type"] == "build.cancelled"]
        assert told["data"]["image"]["version"] == older
        assert told["data"]["image"]["error_detail"] == image["error_detail"]
        for version in (running, by_hand, newer, other):
            client.post(f"{app.path}/images/{version}/cancel").raise_for_status()
            app.image(version)


def test_a_log_that_is_too_long_is_cut_and_the_build_goes_on(narrow: Server) -> None:
    with narrow.client() as client:
        app = make_app(narrow, client, make_env(client))
        talk = "for i in $(seq 1 400); do echo line number $i of many; done"
        app.commit({"Dockerfile": f"FROM barque/base:busybox\nRUN {talk} && echo {uuid.uuid4()}\n"})
        image = app.image(app.build())
        assert image["status"] == "built", image
        said = client.get(f"{app.path}/images/1/log").json()
        assert said["truncated"] is True
        lines = said["log_text"].splitlines()
        assert "cut here" in lines[-2]
        assert lines[-1] == f"built {image['image_digest']}"
        assert len(said["log_text"]) < 5000
        app.commit({"Dockerfile": "FROM barque/base:busybox\n"})
        app.image(app.build())
        assert client.get(f"{app.path}/images/2/log").json()["truncated"] is False
