"""Services that name an image instead of a repository."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.conftest import WEB, App, Server, free_port, make_env
from tests.e2e.helpers import deploy, docker, ended, serving, until, web
from tests.e2e.test_pruning import frugal, pruned
from tests.registry import registry

__all__ = ["frugal"]


@pytest.fixture(scope="module")
def images() -> Iterator[str]:
    with registry(free_port()) as address:
        yield address
    # The platform leaves alone what is not its own: names by a tag, and by a digest.
    for way in ("{{.Repository}}:{{.Tag}}", "{{.Repository}}@{{.Digest}}"):
        for name in set(docker("images", "--digests", "--format", way).split()):
            if name.startswith(address) and "<none>" not in name:
                docker("image", "rm", name)


def push(folder: Path, address: str, dockerfile: str, *labels: str) -> str:
    """Make an image, push it, and have the engine forget the name. Returns its id."""
    (folder / "Dockerfile").write_text(dockerfile)
    options = [one for label in labels for one in ("--label", label)]
    docker("build", "-q", "-t", address, *options, str(folder))
    found = docker("image", "inspect", "--format", "{{.Id}}", address)
    docker("push", "-q", address)
    docker("image", "rm", address)
    return found


def make(api: httpx.Client, env: str, reference: str, name: str = "api") -> App:
    body = {"name": name, "platform": "wind", "image_reference": reference}
    answer = api.post(f"{env}/services", json=body)
    assert answer.status_code == 201, answer.text
    assert answer.json()["image_reference"] == reference
    return App(api, f"{env}/services/{name}", Path())


def pipeline(app: App) -> str:
    project, _, rest = app.path.partition("/envs/")
    env, _, service = rest.split("/")
    body = {"env": env, "service": service}
    answer = app.api.post(f"{project}/pipeline/deploy", json=body)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["deployment_id"])


def test_from_a_registry_to_live(
    server: Server, api: httpx.Client, env: str, images: str, tmp_path: Path
) -> None:
    reference = f"{images}/{uuid.uuid4().hex}/web:1"
    serve, worker = "exec httpd -f -p $PORT -h /www", "exec sleep 1000"
    labels = (f"barque.process.web={serve}", f"barque.process.worker={worker}")
    first = push(tmp_path, reference, web("one")["Dockerfile"], *labels)
    app = make(api, env, reference)
    row = ended(app, pipeline(app))
    assert row["status"] == "live", (row, app.log(1))
    assert serving(server, app).text == "one\n"
    image = app.image(1)
    assert (image["image_digest"], image["image_reference"]) == (first, reference)
    assert (image["ref"], image["commit_sha"], image["dockerfile"]) == (None, None, None)
    assert image["processes"] == {"web": serve, "worker": worker}
    assert f"{reference} is {first}" in app.log(1)
    # The tag means another image now; what was pinned stays what a rollback goes back to.
    second = push(tmp_path, reference, web("two")["Dockerfile"])
    assert app.image(app.build())["image_digest"] == second
    assert ended(app, deploy(app))["status"] == "live"
    assert serving(server, app).text == "two\n"
    assert app.image(2)["processes"] == {"web": ""}
    assert ended(app, deploy(app, "rollback"))["status"] == "live"
    assert serving(server, app).text == "one\n"


def test_one_that_knows_nothing_of_the_platforms_port(
    server: Server, api: httpx.Client, env: str, images: str, tmp_path: Path
) -> None:
    reference = f"{images}/{uuid.uuid4().hex}"
    own = WEB["Dockerfile"].replace("${PORT:-8000}", "81").replace("CMD", "EXPOSE 81\nCMD")
    push(tmp_path, f"{reference}:latest", own)
    app = make(api, env, reference)
    row = ended(app, pipeline(app))
    assert row["status"] == "live", row
    assert app.image(1)["port"] == 81
    assert serving(server, app).text == "hello\n"
    # What the router knows of it outlives the platform.
    assert ended(app, deploy(app, "restart"))["status"] == "live"
    assert serving(server, app).text == "hello\n"


def test_by_digest(api: httpx.Client, env: str, images: str, tmp_path: Path) -> None:
    name = f"{images}/{uuid.uuid4().hex}"
    found = push(tmp_path, f"{name}:1", web("one")["Dockerfile"])
    digest = httpx.head(
        f"http://{images}/v2/{name.partition('/')[2]}/manifests/1",
        headers={"Accept": "application/vnd.docker.distribution.manifest.v2+json"},
    ).headers["docker-content-digest"]
    app = make(api, env, f"{name}:never-there@{digest}")
    image = app.image(app.build())
    assert image["image_digest"] == found, image


def test_what_is_wrong_is_said(api: httpx.Client, env: str, images: str) -> None:
    gone = f"127.0.0.1:{free_port()}/x:1"
    with registry(free_port(), closed=True) as closed:
        for name, reference, said in (
            ("a", f"{images}/nobody/nothing:1", "no such image or tag"),
            ("b", f"{closed}/x:1", "not for everybody"),
            ("c", gone, "cannot be reached"),
            ("d", "barque/base:not-there", "barque base-images build"),
        ):
            app = make(api, env, reference, name)
            image = app.image(app.build())
            assert image["status"] == "error"
            assert said in str(image["error_detail"]), image
            assert reference in str(image["error_detail"])


def test_one_that_only_the_engine_has(api: httpx.Client, env: str) -> None:
    reference = f"only-here-{uuid.uuid4().hex}"
    docker("tag", "barque/base:busybox", reference)
    app = make(api, env, reference)
    image = app.image(app.build())
    docker("image", "rm", reference)
    assert image["status"] == "built", image
    assert "the one that the engine has is used" in app.log(1)


def test_either_a_repository_or_an_image(api: httpx.Client, env: str) -> None:
    both = {"github_repository": "a/b", "image_reference": "nginx"}
    refused = api.post(f"{env}/services", json={"name": "api", "platform": "wind", **both})
    assert refused.status_code == 422
    (error,) = refused.json()["errors"]
    assert error["field"] == "image_reference"
    assert "github_repository" in error["message"]
    app = make(api, env, "barque/base:busybox")
    assert api.patch(app.path, json={"github_repository": "a/b"}).status_code == 422
    refused = api.post(f"{app.path}/images/build", json={"ref": "main"})
    assert refused.json()["errors"][0]["field"] == "ref"
    moved = api.patch(app.path, json={"github_repository": "a/b", "image_reference": None})
    assert moved.json()["github_repository"] == "a/b"
    assert api.patch(app.path, json={"image_reference": "nginx"}).status_code == 422
    for taken in ("barque/0190:1", "docker.io/barque/x/y:1"):
        body = {"name": "b", "platform": "wind", "image_reference": taken}
        assert api.post(f"{env}/services", json=body).status_code == 422


def test_only_its_own_name_is_pruned(frugal: Server, tmp_path: Path, images: str) -> None:
    with frugal.client() as client:
        foreign = f"{images}/{uuid.uuid4().hex}:1"
        push(tmp_path, foreign, web("one")["Dockerfile"])
        app = make(client, make_env(client), foreign)
        service = client.get(app.path).json()["id"]

        def own() -> set[str]:
            names = docker("images", "--format", "{{.Repository}}:{{.Tag}}").splitlines()
            return {name.rpartition(":")[2] for name in names if f"/{service}:" in name}

        for version in (1, 2, 3):
            assert app.image(app.build())["version"] == version
        until(lambda: own() == {"3"})
        assert pruned(app) == {1, 2}
        refused = client.post(f"{app.path}/deploy", json={"image_version": 1})
        assert foreign in refused.json()["message"]
        assert client.delete(app.path).status_code == 204
        until(lambda: own() == set())
        assert docker("images", "-q", foreign)
        assert docker("images", "-q", "barque/base:busybox")
