"""Git credentials of an organization: values go in, and never come out."""

import httpx

from tests.conftest import App, Server
from tests.e2e.test_contract import key_of


def test_a_token_is_write_only(server: Server, api: httpx.Client, org: str) -> None:
    body = {"name": "ci", "kind": "token", "host": "GitHub.com", "value": "ghp_never-shown"}
    made = api.post(f"{org}/git-credentials", json=body)
    assert made.status_code == 201
    shown = {
        "name": "ci", "kind": "token", "host": "github.com", "repository": None,
        "username": "x-access-token", "public_key": None,
    }  # fmt: skip
    assert made.json().items() >= shown.items()
    assert api.post(f"{org}/git-credentials", json=body).status_code == 409
    listed = api.get(f"{org}/git-credentials")
    assert listed.json() == [made.json()]
    assert api.delete(f"{org}/git-credentials/{made.json()['id']}").status_code == 204
    assert api.delete(f"{org}/git-credentials/ci").status_code == 404
    audit = api.get(f"{org}/audit")
    assert [one["action"] for one in audit.json()["items"]][:2] == [
        "git-credential.remove", "git-credential.add",
    ]  # fmt: skip
    stored = b"".join(one.read_bytes() for one in server.data_dir.glob("barque.db*"))
    for text in (made.text, listed.text, audit.text, stored.decode(errors="replace")):
        assert "never-shown" not in text


def test_a_key_without_a_value_is_made(api: httpx.Client, org: str) -> None:
    body = {"name": "deploy", "kind": "ssh_key", "host": "git.example.org:2222"}
    made = api.post(f"{org}/git-credentials", json={**body, "repository": "acme/api"}).json()
    assert made["public_key"].startswith("ssh-ed25519 ")
    assert made["username"] == "git"


def test_what_cannot_be_one_is_refused(api: httpx.Client, org: str) -> None:
    good = {"name": "x", "kind": "token", "host": "github.com", "value": "t"}
    for field, wrong in (
        ("name", "a b"), ("name", ""), ("kind", "password"), ("host", "https://github.com"),
        ("host", "a:b"), ("value", ""), ("value", None), ("value", "a\nhost=evil"),
        ("value", "a b"), ("value", "a\0b"), ("repository", "x"), ("username", "a\nb"),
        ("username", "-oProxyCommand=x"),
    ):  # fmt: skip
        answer = api.post(f"{org}/git-credentials", json={**good, field: wrong})
        assert answer.status_code == 422, (field, wrong)
        assert answer.json()["errors"][0]["field"] == field
    key = {**good, "kind": "ssh_key", "value": "-----BEGIN SECRET"}
    answer = api.post(f"{org}/git-credentials", json=key)
    assert answer.status_code == 422
    assert "SECRET" not in answer.text


def test_only_admins_add_and_remove(server: Server, app: App) -> None:
    path = f"{app.path.partition('/projects')[0]}/git-credentials"
    body = {"name": "ci", "kind": "token", "host": "github.com", "value": "t"}
    with server.client(key_of(app, "developer")) as developer:
        assert developer.post(path, json=body).status_code == 403
        app.api.post(path, json=body)
        assert developer.delete(f"{path}/ci").status_code == 403
        assert [one["name"] for one in developer.get(path).json()] == ["ci"]
