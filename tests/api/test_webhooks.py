"""Webhooks: who may do what with them, what is refused, what is shown of them."""

import uuid

import httpx
import pytest

from tests.conftest import Server, make_env

NEW = {"url": "https://example.org/hooks/token-in-the-path", "active": False}


def test_made_shown_changed_and_deleted(api: httpx.Client, org: str) -> None:
    answer = api.post(f"{org}/webhooks/", json=NEW)
    assert answer.status_code == 201
    made = answer.json()
    secret = made.pop("secret")
    assert secret.startswith("whsec_")
    assert (made["events"], made["project_id"], made["active"]) == (["*"], None, False)
    path = f"{org}/webhooks/{made['id']}"
    assert api.get(path).json() == made
    assert api.get(f"{org}/webhooks").json() == [made]
    changes = {"events": ["build.failed"], "active": True, "url": "http://example.org:81/"}
    changed = api.patch(path, json=changes).json()
    assert changed == {**made, **changes, "updated": changed["updated"]}
    rotated = api.post(f"{path}/rotate").json()
    assert rotated.pop("secret") != secret
    assert rotated == {**changed, "updated": rotated["updated"]}
    assert api.delete(path).status_code == 204
    assert api.get(path).status_code == 404
    audit = api.get(f"{org}/audit").json()["items"]
    actions = [row["action"] for row in audit][:4]
    assert actions == ["webhook.delete", "webhook.rotate", "webhook.update", "webhook.create"]
    # What may hold a token is for admins, and the audit log is for all.
    assert "token-in-the-path" not in str(audit)
    assert audit[3]["after"]["url"] == "https://example.org"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("url", "ftp://example.org"), ("url", "example.org"), ("url", "https://"),
        ("url", "https://user:pass@example.org/"), ("url", "https://example.org:99999/"),
        ("url", "https://example.org/a b"), ("url", "x" * 2049), ("url", None),
        ("url", "http://10.0.0.1/"), ("url", "http://169.254.169.254/latest/meta-data"),
        ("url", "http://[::1]:8000/"), ("url", "http://[::ffff:10.0.0.1]/"),
        ("events", []), ("events", ["build.exploded"]), ("events", "*"), ("active", "yes"),
        ("project", "nowhere"), ("secret", "mine"),
    ],
)  # fmt: skip
def test_bad_fields(api: httpx.Client, org: str, field: str, value: object) -> None:
    answer = api.post(f"{org}/webhooks", json={**NEW, field: value})
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["field"].startswith(field)
    assert api.get(f"{org}/webhooks").json() == []


def test_a_change_is_checked_like_a_new_one(api: httpx.Client, org: str) -> None:
    path = f"{org}/webhooks/{api.post(f'{org}/webhooks', json=NEW).json()['id']}"
    for field, value in (("url", "http://10.0.0.1/"), ("events", []), ("project", "shop")):
        answer = api.patch(path, json={field: value})
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == field


def test_there_can_be_too_many(api: httpx.Client, org: str) -> None:
    for _ in range(50):
        assert api.post(f"{org}/webhooks", json=NEW).status_code == 201
    refused = api.post(f"{org}/webhooks", json=NEW)
    assert refused.status_code == 409
    assert "delete one" in refused.json()["message"]


def test_an_inactive_one_is_sent_nothing(api: httpx.Client, org: str) -> None:
    path = f"{org}/webhooks/{api.post(f'{org}/webhooks', json=NEW).json()['id']}"
    refused = api.post(f"{path}/ping")
    assert refused.status_code == 409
    assert "active" in refused.json()["message"]
    assert api.get(f"{path}/deliveries").json()["items"] == []


def test_only_admins_and_only_their_own(server: Server, api: httpx.Client, org: str) -> None:
    made = api.post(f"{org}/webhooks", json=NEW).json()
    path = f"{org}/webhooks/{made['id']}"
    email = f"{uuid.uuid4().hex}@example.org"
    api.post(f"{org}/members", json={"email": email, "role": "developer"})
    body = {"name": "k", "org": org.removeprefix("/orgs/"), "user": email}
    key = api.post("/api-keys", json=body).json()["key"]
    nowhere = f"{path}/deliveries/{uuid.uuid4()}/redeliver"
    with server.client(key) as developer:
        for method, where in (
            ("GET", f"{org}/webhooks"), ("POST", f"{org}/webhooks"), ("GET", path),
            ("PATCH", path), ("DELETE", path), ("POST", f"{path}/rotate"),
            ("POST", f"{path}/ping"), ("GET", f"{path}/deliveries"), ("POST", nowhere),
        ):  # fmt: skip
            assert developer.request(method, where, json={}).status_code == 403, (method, where)
    other = make_env(api).partition("/projects")[0]
    for verb in ("", "/deliveries"):
        assert api.get(f"{other}/webhooks/{made['id']}{verb}").status_code == 404
    assert api.post(f"{other}/webhooks/{made['id']}/ping").status_code == 404
    assert api.post(nowhere).status_code == 404
    assert api.get(path).status_code == 200


def test_one_of_a_project_goes_with_it(api: httpx.Client, env: str) -> None:
    org, project = env.partition("/projects")[0], env.partition("/envs")[0]
    made = api.post(f"{org}/webhooks", json={**NEW, "project": "shop"}).json()
    assert made["project_id"] == api.get(project).json()["id"]
    assert api.delete(project, params={"cascade": "true"}).status_code == 204
    assert api.get(f"{org}/webhooks").json() == []
