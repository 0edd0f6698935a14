"""Real repositories, built by a real engine."""

import concurrent.futures
import json
import subprocess
import time
import uuid

import httpx
import pytest

from tests.conftest import WEB, App, Server, make_app, make_env

SLOW = "FROM barque/base:busybox\nENV UNIQUE={unique}\nRUN echo begun && sleep {seconds}\n"


def slow(seconds: int) -> dict[str, str]:
    return {"Dockerfile": SLOW.format(unique=uuid.uuid4(), seconds=seconds)}


def test_build(app: App) -> None:
    sha = app.commit({**WEB, "Procfile": "web: httpd -f -p $PORT\nworker: sleep 1000\n"})
    image = app.image(app.build())
    assert image["status"] == "built", image
    assert image["commit_sha"] == sha
    assert image["dockerfile"] == WEB["Dockerfile"]
    assert image["processes"] == {"web": "httpd -f -p $PORT", "worker": "sleep 1000"}
    assert str(image["image_digest"]).startswith("sha256:")
    assert int(str(image["size_bytes"])) > 0
    assert f"building commit {sha}" in app.log(1)
    page = app.api.get(f"{app.path}/images").json()
    assert page["pagination"]["total"] == 1
    assert app.api.get(f"{app.path}/images/2").status_code == 404
    assert app.api.get(f"{app.path}/images/{image['id']}").status_code == 404


def test_refs(app: App) -> None:
    first = app.commit(WEB)
    app.git("tag", "-a", "v1", "-m", "one")
    second = app.commit({"x": "1"})
    app.git("checkout", "-q", "-b", "feature")
    third = app.commit({"x": "2"})
    app.git("checkout", "-q", "main")
    wanted = {"v1": first, first: first, first[:10]: first, "feature": third, "main": second}
    versions = {ref: app.build(ref) for ref in [*wanted, "nowhere", "-x", "a..b", "f" * 40]}
    for ref, sha in wanted.items():
        assert app.image(versions[ref])["commit_sha"] == sha, ref
    for ref in versions.keys() - wanted.keys():
        image = app.image(versions[ref])
        assert image["status"] == "error"
        assert ref in str(image["error_detail"])


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"README": "x"}, "no Dockerfile"),
        ({"Dockerfile": "FROM barque/base:busybox\nRUN echo so && exit 3\n"}, "exit code: 3"),
        ({"Dockerfile": "FORM x\n"}, "unknown instruction"),
        ({**WEB, "Procfile": "web httpd\n"}, "line 1 of the Procfile"),
        ({"requirements.txt": "numpy"}, "found requirements.txt, but no Django"),
        ({"index.html": "x", "Procfile": "web httpd\n"}, "line 1 of the Procfile"),
    ],
)
def test_failures_say_why(app: App, files: dict[str, str], said: str) -> None:
    app.commit(files)
    image = app.image(app.build())
    assert image["status"] == "error"
    assert said in str(image["error_detail"])
    assert said in app.log(1)


def test_a_folder_of_the_repository(app: App) -> None:
    dockerfile = f"{WEB['Dockerfile']}COPY here /here\n"
    app.commit({"apps/web/Dockerfile": dockerfile, "apps/web/here": "x", "Dockerfile": "FORM x"})
    app.commit({"apps/web/Procfile": "web: a", "Procfile": "web: b", "other/Dockerfile": "FORM y"})
    app.api.patch(app.path, json={"root_directory": "apps/web"})
    image = app.image(app.build())
    assert image["status"] == "built", image
    assert (image["dockerfile"], image["processes"]) == (dockerfile, {"web": "a"})
    assert image["plan"] is None
    app.api.patch(app.path, json={"root_directory": "other", "dockerfile": "Dockerfile.web"})
    assert "has no Dockerfile.web" in str(app.image(app.build())["error_detail"])
    app.api.patch(app.path, json={"root_directory": "gone"})
    assert "no folder gone" in str(app.image(app.build())["error_detail"])
    app.api.patch(app.path, json={"root_directory": None, "dockerfile": "apps/web/Dockerfile"})
    assert "/here" in str(app.image(app.build())["error_detail"])


def test_links_lead_nowhere(app: App) -> None:
    (app.repository / "out").symlink_to("/etc")
    (app.repository / "Dockerfile").symlink_to("/etc/passwd")
    (app.repository / "Procfile").symlink_to("/etc/passwd")
    app.commit({})
    assert "leads out" in str(app.image(app.build())["error_detail"])
    assert "root:" not in str(app.image(1)) + app.log(1)
    app.api.patch(app.path, json={"root_directory": "out"})
    assert "no folder out" in str(app.image(app.build())["error_detail"])


def test_a_plan_gets_config_and_secrets_while_it_builds(app: App) -> None:
    marker = f"marker-{uuid.uuid4().hex}"
    for name, value, secret in (("COLOUR", "green", False), ("TOKEN", marker, True)):
        body = {"name": name, "value": value, "secret": secret, "buildtime": True}
        app.api.post(f"{app.path}/config", json=body)
    script = (
        "test $COLOUR = green && echo it is $TOKEN && mkdir dist && echo $COLOUR > dist/index.html"
    )
    app.commit({"package.json": json.dumps({"scripts": {"build": script}})})
    image = app.image(app.build())
    assert image["status"] == "built", app.log(1)
    assert "it is ********" in app.log(1)
    assert marker not in app.log(1) + str(image)
    assert dict(image["plan"])["provider"] == "node"  # type: ignore[call-overload]


def test_a_base_image_is_made_when_it_is_needed(app: App) -> None:
    app.commit({"index.html": "x"})
    # What it was made of stays in the engine's cache, so that this takes no minutes.
    subprocess.run(["docker", "rmi", "-f", "barque/base:static"], check=True, capture_output=True)
    assert app.image(app.build())["status"] == "built", app.log(1)
    assert "barque/base:static is being made" in app.log(1)


def test_a_base_image_that_is_not_there(own_server: Server) -> None:
    missing = {"static": "barque/base:not-there"}
    own_server.environment = {"BARQUE_BASE_IMAGES": json.dumps(missing)}
    own_server.kill()
    own_server.start()
    with own_server.client() as client:
        app = make_app(own_server, client, make_env(client))
        app.commit({"index.html": "x"})
        said = str(app.image(app.build())["error_detail"])
    assert "barque/base:not-there" in said
    assert "barque base-images build static" in said


def test_no_repository(app: App) -> None:
    app.api.patch(app.path, json={"github_repository": "nobody/nothing"})
    assert "was not found" in str(app.image(app.build())["error_detail"])
    app.api.patch(app.path, json={"github_repository": None})
    assert app.api.post(f"{app.path}/images/build").status_code == 409


def test_empty_repository(app: App) -> None:
    assert "no commits yet" in str(app.image(app.build())["error_detail"])


def test_a_hundred_builds_at_once_are_numbered_without_gap(app: App) -> None:
    # The repository is empty, so that each build ends as soon as it begins.
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        versions = list(pool.map(lambda _: app.build(), range(100)))
    assert sorted(versions) == list(range(1, 101))
    for version in versions:
        assert app.image(version)["status"] == "error"


def test_idempotency_key(app: App) -> None:
    path, headers = f"{app.path}/images/build", {"Idempotency-Key": uuid.uuid4().hex}
    first = app.api.post(path, headers=headers, json={})
    assert app.api.post(path, headers=headers, json={}).json() == first.json()
    assert app.api.post(path, headers=headers, json={"ref": "x"}).status_code == 409
    assert app.api.get(f"{app.path}/images").json()["pagination"]["total"] == 1


def test_build_config(server: Server, app: App) -> None:
    marker = f"marker-{uuid.uuid4().hex}"
    for name, value, secret in (("COLOUR", "green", False), ("TOKEN", marker, True)):
        body = {"name": name, "value": value, "secret": secret, "buildtime": True}
        app.api.post(f"{app.path}/config", json=body)
    app.commit(
        {
            "Dockerfile": "FROM barque/base:busybox\nARG COLOUR\nRUN echo the colour is $COLOUR\n"
            f"ENV UNIQUE={uuid.uuid4()}\n"
            "RUN --mount=type=secret,id=TOKEN cat /run/secrets/TOKEN && sleep 1 && "
            "test $(wc -c < /run/secrets/TOKEN) = 39\n"
        }
    )
    version = app.build()
    app.image(version, "building")
    while app.image(version, "building", "built", "error")["status"] == "building":
        seen = subprocess.run(["ps", "axww"], capture_output=True, text=True, check=True).stdout
        assert marker not in seen
    image = app.image(version)
    assert image["status"] == "built", app.log(version)
    assert "the colour is green" in app.log(version)
    assert "********" in app.log(version)
    assert marker not in app.log(version)
    history = subprocess.run(
        ["docker", "history", "--no-trunc", str(image["image_digest"])],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert marker not in history.stdout
    for file in server.data_dir.rglob("*"):
        assert not file.is_file() or marker.encode() not in file.read_bytes(), file


def test_cancel(app: App) -> None:
    app.commit(slow(600))
    version = app.build()
    app.image(version, "building")
    assert app.api.post(f"{app.path}/images/{version}/cancel").status_code == 202
    assert app.image(version)["status"] == "cancelled"
    assert app.api.post(f"{app.path}/images/{version}/cancel").status_code == 409


def test_the_log_streams_and_resumes(app: App) -> None:
    app.commit(slow(1))
    version = app.build()
    path = f"{app.path}/images/{version}/log"
    events = _events(app.api, path, {})
    ids = [event["id"] for event in events if "id" in event]
    assert ids == [str(number) for number in range(1, len(ids) + 1)]
    assert json.loads(events[-1]["data"]) == {"status": "built"}
    resumed = _events(app.api, path, {"Last-Event-ID": ids[2]})
    assert resumed == events[3:]
    lines = [json.loads(event["data"])["text"] for event in events[:-1]]
    assert app.log(version).splitlines() == lines


def test_whoever_follows_what_is_deleted_is_told_of_the_end(app: App) -> None:
    app.commit(slow(30))
    version = app.build()
    app.image(version, "building")
    path, headers = f"{app.path}/images/{version}/log", {"Accept": "text/event-stream"}
    with app.api.stream("GET", path, headers=headers) as answer:
        app.api.delete(app.path).raise_for_status()
        assert "".join(answer.iter_text()).endswith('data: {"status":"deleted"}\n\n')


def _events(api: httpx.Client, path: str, headers: dict[str, str]) -> list[dict[str, str]]:
    with api.stream("GET", path, headers={"Accept": "text/event-stream", **headers}) as answer:
        text = "".join(answer.iter_text())
    blocks = [block for block in text.split("\n\n") if block and not block.startswith(":")]
    return [dict(line.split(": ", 1) for line in block.split("\n")) for block in blocks]


def test_killed_during_builds(own_server: Server) -> None:
    with own_server.client() as client:
        client.post("/orgs", json={"name": "acme"})
        client.post("/orgs/acme/projects", json={"name": "shop"})
        client.post("/orgs/acme/projects/shop/envs", json={"name": "production"})
        app = make_app(own_server, client, "/orgs/acme/projects/shop/envs/production")
        app.commit(slow(2))
        versions = [app.build() for _ in range(4)]
        app.image(versions[0], "building")
        for pause in (0.3, 1.0):
            time.sleep(pause)
            own_server.kill()
            own_server.start()
        for version in versions:
            image = app.image(version)
            assert image["status"] == "built", (image, app.log(version))
        left = own_server.data_dir / "work"
        assert not left.exists() or not list(left.iterdir())


def test_sigterm_ends_cleanly(own_server: Server) -> None:
    assert own_server.process is not None
    own_server.process.terminate()
    assert own_server.process.wait(timeout=60) == 0
