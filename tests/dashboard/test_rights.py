"""Who may sign in, see and do what, and that nobody else's page may do it for them."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest
from playwright.sync_api import expect

from tests.dashboard.conftest import Site


def test_a_viewer_reads_and_no_more(site: Site, key_for: Callable[[str, str], str]) -> None:
    context = site.context(key_for("viewer@example.org", "viewer"))
    page = context.new_page()
    page.goto(site.app.path)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert page.locator("main form[method=post], nav[aria-label=Actions]").count() == 0
    proof = page.locator("[name=csrf]").first.get_attribute("value")
    form = {"csrf": proof or "", "do": "deploy"}
    refused = context.request.post(f"{site.app.path}/deploy", form=form)
    assert refused.status == 403
    assert "this needs the role developer" in refused.text()
    assert page.goto("/orgs/no-such-org").status == 404  # type: ignore[union-attr]
    context.close()


@contextmanager
def signed_in(site: Site, key: str | None = None) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=site.server.url, headers={"Accept": "text/html"}) as client:
        answer = client.post("/sign-in", data={"key": key or site.server.key, "next": "/keys"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/keys")
        assert {"httponly", "samesite=lax"} <= set(answer.headers["set-cookie"].lower().split("; "))
        yield client


def proof_in(client: httpx.Client) -> str:
    found = re.search('name="csrf" value="([0-9a-f]+)"', client.get("/keys").text)
    assert found
    return found[1]


def test_forms_of_other_sites_are_refused(site: Site) -> None:
    org = {"name": f"{site.org.removeprefix('/orgs/')} twice"}
    with signed_in(site) as client:
        proof = proof_in(client)
        assert client.post("/", data={"do": "create", **org}).status_code == 403
        assert client.post("/api/v1/orgs", json=org).status_code == 403
        wrong = {"X-CSRF-Token": "0" * 64}
        assert client.post("/api/v1/orgs", json=org, headers=wrong).status_code == 403
        assert client.get("/api/v1/whoami").json()["email"] == "admin@localhost"
        sound = {"X-CSRF-Token": proof}
        assert client.post("/api/v1/orgs", json=org, headers=sound).status_code == 201
        assert client.post("/sign-out", data={}).status_code == 403
        policy = client.get("/").headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
    foreign = {"Sec-Fetch-Site": "cross-site"}
    data = {"key": site.server.key}
    assert httpx.post(f"{site.server.url}/sign-in", data=data, headers=foreign).status_code == 403


def test_a_sign_in_ends(site: Site, api: httpx.Client) -> None:
    made = api.post("/api-keys", json={"name": "short"}).json()
    with signed_in(site, made["key"]) as client:
        token, proof = dict(client.cookies), proof_in(client)
        assert client.post("/sign-out", data={"csrf": proof}).status_code == 303
        client.cookies.update(token)
        assert client.get("/").headers["location"] == "/sign-in"
    with signed_in(site, made["key"]) as client:
        assert api.delete(f"/api-keys/{made['id']}").status_code == 204
        assert client.get("/keys").headers["location"] == "/sign-in?next=/keys"
        assert client.get("/api/v1/whoami").status_code == 401


@pytest.mark.parametrize("wanted", ["//evil.example", "https://evil.example", "/\\evil.example"])
def test_signing_in_leads_nowhere_else(site: Site, wanted: str) -> None:
    data = {"key": site.server.key, "next": wanted}
    answer = httpx.post(f"{site.server.url}/sign-in", data=data)
    assert answer.headers["location"] == "/"
