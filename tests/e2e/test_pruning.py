"""Old images leave the engine; what is live, is a rollback target or is promoted stays."""

import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import App, Server, free_port, make_app, make_env
from tests.e2e.helpers import build, deploy, ended, serving, until, web


@pytest.fixture
def frugal(tmp_path: Path) -> Iterator[Server]:
    """A platform that keeps one image of each service, and looks every second."""
    settings = {"BARQUE_IMAGES_KEPT": "1", "BARQUE_PRUNE_INTERVAL": "1"}
    running = Server(tmp_path / "barque", free_port(), environment=settings)
    running.start()
    yield running
    running.end()


def on_engine(service: str) -> set[int]:
    """List the versions of a service's images that the engine holds."""
    listed = ["docker", "images", f"barque/{service}", "--format", "{{.Tag}}"]
    found = subprocess.run(listed, capture_output=True, text=True, check=True)
    return set(map(int, found.stdout.split()))


def id_of(app: App) -> str:
    return str(app.api.get(app.path).json()["id"])


def release(app: App, text: str) -> None:
    build(app, web(text))
    row = ended(app, deploy(app))
    assert row["status"] == "live", row


def pruned(app: App) -> set[int]:
    rows = app.api.get(f"{app.path}/images").json()["items"]
    return {row["version"] for row in rows if row["pruned"] is not None}


def test_old_images_go_and_can_be_built_again(frugal: Server) -> None:
    with frugal.client() as client:
        app = make_app(frugal, client, make_env(client))
        service = id_of(app)
        for text in ("one", "two", "three"):
            release(app, text)
        until(lambda: on_engine(service) == {2, 3})
        assert pruned(app) == {1}
        first = client.get(f"{app.path}/images/1").json()
        assert first["status"] == "built"
        for verb, body in (("deploy", {"image_version": 1}), ("rollback", {"release_version": 1})):
            answer = client.post(f"{app.path}/{verb}", json=body)
            assert answer.status_code == 409, verb
            assert f'images/build {{"ref": "{first["commit_sha"]}"}}' in answer.json()["message"]
        assert len(client.get(f"{app.path}/releases").json()) == 3
        assert ended(app, deploy(app, "rollback"))["status"] == "live"
        assert serving(frugal, app).text == "two\n"
        # As the answer said: the same commit, under a number of its own.
        assert app.image(app.build(first["commit_sha"]))["status"] == "built"
        assert ended(app, deploy(app))["status"] == "live"
        assert serving(frugal, app).text == "one\n"
        until(lambda: on_engine(service) == {2, 4})
        assert pruned(app) == {1, 3}
        assert ended(app, deploy(app, "rollback"))["status"] == "live"
        assert serving(frugal, app).text == "two\n"


def test_a_promoted_image_stays_while_a_service_has_it(frugal: Server) -> None:
    by_hand = f"kept-by-hand:{uuid.uuid4().hex}"
    with frugal.client() as client:
        app = make_app(frugal, client, make_env(client))
        project = app.path.partition("/envs/")[0]
        client.post(f"{project}/envs", json={"name": "Staging"})
        target = make_app(frugal, client, f"{project}/envs/staging")
        service = id_of(app)
        # No other test makes the same image: one that runs elsewhere would stay by any name.
        release(app, "kept by hand")
        subprocess.run(["docker", "tag", f"barque/{service}:1", by_hand], check=True)
        body = {"service": "api", "source_env": "production", "target_env": "staging"}
        promoted = client.post(f"{project}/promote", json=body).json()["deployment_id"]
        assert ended(target, promoted)["status"] == "live"
        for text in ("two", "three"):
            release(app, text)
        until(lambda: pruned(app) == {1})
        assert client.post(f"{app.path}/deploy", json={"image_version": 1}).status_code == 409
        assert ended(target, deploy(target, "restart"))["status"] == "live"
        assert on_engine(service) == {1, 2, 3}
        assert client.delete(target.path).status_code == 204
        until(lambda: on_engine(service) == {2, 3})
        assert serving(frugal, app).text == "three\n"
        assert client.delete(app.path).status_code == 204
        until(lambda: on_engine(service) == set())
    subprocess.run(["docker", "image", "rm", by_hand], check=True, capture_output=True)
