import httpx

from tests.conftest import Server


def key_for(api: httpx.Client, org: str, email: str, role: str, scope: str = "admin") -> str:
    added = api.post(f"{org}/members", json={"email": email, "role": role})
    assert added.status_code in (201, 409)
    body = {"name": "k", "scope": scope, "org": org.rsplit("/", 1)[1], "user": email}
    made = api.post("/api-keys", json=body)
    assert made.status_code == 201
    return str(made.json()["key"])


def test_taken_slug(api: httpx.Client, org: str) -> None:
    name = org.rsplit("/", 1)[1]
    assert api.post("/orgs", json={"name": name.upper()}).status_code == 409


def test_slug_is_stable_and_id_accepted(api: httpx.Client, org: str) -> None:
    changed = api.patch(org, json={"name": "Another"}).json()
    assert changed["name"] == "Another"
    assert org.endswith(changed["slug"])
    assert api.get(f"/orgs/{changed['id']}").json() == changed


def test_roles(server: Server, api: httpx.Client, org: str) -> None:
    with server.client(key_for(api, org, "v@example.org", "viewer")) as viewer:
        assert viewer.get(org).status_code == 200
        assert viewer.post(f"{org}/projects", json={"name": "x"}).status_code == 403
    with server.client(key_for(api, org, "d@example.org", "developer")) as developer:
        assert developer.post(f"{org}/projects", json={"name": "x"}).status_code == 201
        assert developer.delete(f"{org}/projects/x").status_code == 403
    with server.client(key_for(api, org, "a@example.org", "admin", "read")) as reader:
        assert reader.delete(f"{org}/projects/x").status_code == 403


def test_existence_does_not_leak(server: Server, api: httpx.Client, org: str) -> None:
    api.post("/orgs", json={"name": f"{org[6:]}-other"})
    with server.client(key_for(api, org, "w@example.org", "admin")) as other:
        assert other.get(f"{org}-other").status_code == 404
        assert other.get(f"{org}-other").json()["message"] == (
            f"organization '{org[6:]}-other' not found"
        )
        assert [row["slug"] for row in other.get("/orgs").json()] == [org[6:]]


def test_last_admin_stays(api: httpx.Client, org: str) -> None:
    assert api.delete(f"{org}/members/admin@localhost").status_code == 409
    changed = api.patch(f"{org}/members/admin@localhost", json={"role": "viewer"})
    assert changed.status_code == 409


def test_revoked_key(server: Server, api: httpx.Client) -> None:
    made = api.post("/api-keys", json={"name": "ci"}).json()
    with server.client(made["key"]) as client:
        assert client.get("/whoami").status_code == 200
        assert api.delete(f"/api-keys/{made['id']}").status_code == 204
        assert client.get("/whoami").status_code == 401
    assert made["key"] not in api.get("/api-keys").text


def test_audit(api: httpx.Client, org: str) -> None:
    for number in range(3):
        api.post(f"{org}/projects", json={"name": f"p{number}"})
    page = api.get(f"{org}/audit", params={"per_page": 2}).json()
    assert page["pagination"] == {"page": 1, "per_page": 2, "total": 4, "pages": 2}
    assert page["items"][0]["target"].endswith("/p2")
    for wrong in ({"page": 0}, {"per_page": 101}, {"page": "x"}):
        assert api.get(f"{org}/audit", params=wrong).status_code == 422
