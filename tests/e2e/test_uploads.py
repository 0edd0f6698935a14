"""A folder of somebody's, uploaded, built and deployed."""

import io
import os
import socket
import tarfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.conftest import App, Server, free_port, make_app, make_env
from tests.e2e.helpers import deploy, ended, serving, until, web


def archive(files: dict[str, str]) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as tar:
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(text.encode())
            tar.addfile(info, io.BytesIO(text.encode()))
    return made.getvalue()


def upload(app: App, body: bytes | Iterator[bytes], **headers: str) -> httpx.Response:
    return app.api.post(f"{app.path}/images/upload", content=body, headers=headers)


def waiting(server: Server) -> list[str]:
    return sorted(path.name for path in (server.data_dir / "uploads").glob("*"))


@pytest.fixture
def small_server(tmp_path: Path) -> Iterator[Server]:
    """A platform that takes little: 1 MiB, which is no more than 2 MiB when it is unpacked."""
    limits = {"BARQUE_UPLOAD_MB": "1", "BARQUE_UPLOAD_UNPACKED_MB": "2"}
    running = Server(tmp_path / "barque", free_port(), environment=limits)
    running.start()
    yield running
    running.end()


def test_upload_build_deploy(server: Server, app: App) -> None:
    app.api.patch(app.path, json={"github_repository": None})
    key = {"Idempotency-Key": uuid.uuid4().hex}
    body = archive(web("uploaded"))
    answer = upload(app, body, **key)
    assert answer.status_code == 202, answer.text
    assert answer.json().keys() == {"image_id", "version"}
    assert upload(app, body, **key).json() == answer.json()
    assert upload(app, archive(web("other")), **key).status_code == 409
    image = app.image(1)
    assert image["status"] == "built", app.log(1)
    assert (image["source"], image["commit_sha"], image["ref"]) == ("upload", None, None)
    assert "building the uploaded source" in app.log(1)
    assert ended(app, deploy(app))["status"] == "live"
    assert serving(server, app).text == "uploaded\n"
    assert app.api.get(f"{app.path}/images").json()["pagination"]["total"] == 1
    assert f"{answer.json()['image_id']}.tar" not in waiting(server)
    org = app.path.split("/")[2]
    actions = [row["action"] for row in app.api.get(f"/orgs/{org}/audit").json()["items"]]
    assert actions.count("image.upload") == 1


def test_what_is_refused(app: App) -> None:
    link = io.BytesIO()
    with tarfile.open(fileobj=link, mode="w") as tar:
        info = tarfile.TarInfo("l")
        info.type, info.linkname = tarfile.SYMTYPE, "../nowhere"
        tar.addfile(info)
    for body, said in (
        (b"", "cut short"), (b"{}", "cut short"), (b"x" * 600, "no sound tar archive"),
        (archive({"../../canary": "x"}), "leads out"), (archive(web("x"))[:-50], "cut short"),
        (link.getvalue(), "leads out"),
    ):  # fmt: skip
        answer = upload(app, body)
        assert answer.status_code == 422, answer.text
        assert answer.json()["errors"][0]["field"] == "body"
        assert said in answer.json()["message"]
    assert app.api.get(f"{app.path}/images").json()["pagination"]["total"] == 0
    assert app.api.post(f"{app.path}x/images/upload", content=b"").status_code == 404


def test_what_is_large_but_not_too_large(server: Server, app: App) -> None:
    large = {"Dockerfile": "FROM barque/base:busybox\nCOPY . /\n"}
    for number in range(3):
        large[f"noise{number}"] = os.urandom(3 * 1024 * 1024).hex()
    body = archive(large)
    assert len(body) > 10 * 1024 * 1024
    assert upload(app, body).status_code == 202
    assert app.image(1)["status"] == "built"


def test_a_client_that_leaves(server: Server, app: App) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as line:
        head = f"POST /api/v1{app.path}/images/upload HTTP/1.1\r\nHost: x\r\n"
        head += f"X-API-Key: {server.key}\r\nContent-Length: 100000\r\n\r\n"
        line.sendall(head.encode() + archive(web("x")))
        until(lambda: waiting(server))
    until(lambda: waiting(server) == [])
    assert app.api.get(f"{app.path}/images").json()["pagination"]["total"] == 0


def test_only_those_who_may_build_upload(server: Server, app: App) -> None:
    body = {"name": "reader", "scope": "read"}
    key = app.api.post("/api-keys", json=body).json()["key"]
    with server.client(key) as reader:
        answer = reader.post(f"{app.path}/images/upload", content=archive(web("x")))
    assert answer.status_code == 403


def test_what_is_too_large(small_server: Server) -> None:
    with small_server.client() as client:
        app = make_app(small_server, client, make_env(client))
        large = os.urandom(3 * 1024 * 1024)
        pieces = (large[at : at + 65536] for at in range(0, len(large), 65536))
        for body in (large, pieces):
            answer = upload(app, body)
            assert answer.status_code == 413, answer.text
            assert ".gitignore" in answer.json()["message"]
            assert "BARQUE_UPLOAD_MB" in answer.json()["message"]
        bomb = upload(app, archive({"zeros": "0" * 3 * 1024 * 1024}))
        assert bomb.status_code == 422
        assert "BARQUE_UPLOAD_UNPACKED_MB" in bomb.json()["message"]
    assert waiting(small_server) == []


def test_killed_between_upload_and_build(own_server: Server) -> None:
    with own_server.client() as client:
        app = make_app(own_server, client, make_env(client))
        # Two that build keep the third waiting.
        slow = {"Dockerfile": "FROM barque/base:busybox\nRUN sleep 3; echo {}\n"}
        for number in range(2):
            text = slow["Dockerfile"].format(f"{uuid.uuid4()}{number}")
            assert upload(app, archive({"Dockerfile": text})).status_code == 202
        last = upload(app, archive(web("kept"))).json()
        (own_server.data_dir / "uploads" / "orphan.tar").write_text("of no image")
        (own_server.data_dir / "uploads" / "x.part").write_text("half received")
        own_server.kill()
        assert f"{last['image_id']}.tar" in waiting(own_server)
        own_server.start()
        assert not {"orphan.tar", "x.part"} & set(waiting(own_server))
        for version in (1, 2, 3):
            assert app.image(version)["status"] == "built", app.log(version)
        assert ended(app, deploy(app))["status"] == "live"
        assert serving(own_server, app).text == "kept\n"
        until(lambda: waiting(own_server) == [])


def test_large_files_that_are_only_pointers(app: App) -> None:
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'a' * 64}\nsize 9\n"
    files = {**web("x"), "logo.png": pointer, ".gitattributes": "*.png filter=lfs diff=lfs -text\n"}
    assert upload(app, archive(files)).status_code == 202
    image = app.image(1)
    assert image["status"] == "error"
    for said in ("logo.png", "git lfs pull", ".dockerignore"):
        assert said in str(image["error_detail"])
    upload(app, archive({**files, ".dockerignore": "*.png\n"}))
    upload(app, archive({**files, ".gitattributes": "*.png -text\n"}))
    for version in (2, 3):
        assert app.image(version)["status"] == "built", app.log(version)
