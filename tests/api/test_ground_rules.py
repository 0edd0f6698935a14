import sqlite3

import httpx
import pytest

from tests.conftest import Server, ask


@pytest.mark.parametrize("path", ["/orgs", "/orgs/", "/whoami", "/whoami/", "/platforms/"])
def test_both_forms_of_a_path_answer(api: httpx.Client, path: str) -> None:
    assert api.get(path).status_code == 200


@pytest.mark.parametrize(
    "headers", [{}, {"X-API-Key": "barque_x"}, {"Authorization": "Basic eA=="}]
)
def test_no_or_bad_key(server: Server, headers: dict[str, str]) -> None:
    answer = ask(f"{server.url}/api/v1/orgs", headers=headers)
    assert answer.status_code == answer.json()["status"] == 401


def test_bearer(server: Server) -> None:
    headers = {"Authorization": f"Bearer {server.key}"}
    assert ask(f"{server.url}/api/v1/whoami", headers=headers).status_code == 200


def test_unknown_field_is_named(api: httpx.Client) -> None:
    answer = api.post("/orgs", json={"name": "a", "nmae": "b"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "nmae"


@pytest.mark.parametrize("body", ["{", '"x"', "[]", '{"name": 3}', '{"name": ""}', "{}", "\xff"])
def test_bad_bodies(api: httpx.Client, body: str) -> None:
    answer = api.post("/orgs", content=body.encode("latin-1"))
    assert answer.status_code == 422
    assert answer.json()["errors"]


def test_unknown_path_and_method(api: httpx.Client) -> None:
    assert api.get("/nowhere").json()["status"] == 404
    answer = api.put("/orgs")
    assert answer.status_code == 405
    assert answer.json()["message"].startswith("PUT is not allowed here (GET, OPTIONS, POST are)")
    assert "GET" in answer.headers["Allow"]


def test_key_file_is_private_and_key_is_stored_hashed(own_server: Server) -> None:
    assert (own_server.data_dir / "admin.key").stat().st_mode & 0o777 == 0o600
    key = own_server.key
    for file in own_server.data_dir.glob("barque.db*"):
        assert key.encode() not in file.read_bytes()


def test_acknowledged_writes_survive_kill(own_server: Server) -> None:
    with own_server.client() as client:
        for number in range(50):
            assert client.post("/orgs", json={"name": f"o{number}"}).status_code == 201
    key = own_server.key
    own_server.kill()
    own_server.start()
    assert own_server.key == key
    with own_server.client() as client:
        assert len(client.get("/orgs").json()) == 50
    with sqlite3.connect(own_server.data_dir / "barque.db") as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
