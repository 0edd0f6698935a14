"""The dashboard in a real browser, over the real platform."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.dashboard.conftest import ARTEFACTS, ATTACK, Site
from tests.e2e.helpers import deploy, ended, until

PATIENCE = 60_000
LIGHT = {"resultTypes": ["violations"]}
# What differs between the two is their colours, and what has to scroll on a phone.
DARK = {**LIGHT, "runOnly": ["color-contrast", "scrollable-region-focusable"]}
SHIFTS = """
window.shifted = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifted += entry.value;
}).observe({type: "layout-shift", buffered: true});
"""


def watch(page: Page) -> None:
    """Wait until the deployment on the page is live, step by step and without loading it anew."""
    page.evaluate("window.stayed = true")
    page.evaluate(SHIFTS)
    expect(page.locator(".route li.done")).to_have_count(7, timeout=PATIENCE)
    expect(page.locator(".headline .pill")).to_have_text("live")
    assert page.evaluate("window.stayed")
    assert page.evaluate("window.shifted") == 0


def test_deploy_configure_and_roll_back(site: Site, page: Page) -> None:
    path = site.app.path
    page.goto(path)
    expect(page.get_by_text("Not deployed yet")).to_be_visible()
    page.get_by_role("button", name="Deploy image 1").click()
    page.wait_for_url("**/deployments/*")
    watch(page)

    page.goto(f"{path}/config")
    page.get_by_label("Name", exact=True).fill("GREETING")
    page.locator("[name=value]").last.fill("hello")
    page.get_by_role("button", name="Set it").click()
    expect(page.get_by_role("row", name="GREETING")).to_contain_text("its own")

    page.goto(path)
    expect(page.get_by_role("row", name="GREETING")).to_contain_text("added")
    page.get_by_role("button", name="Deploy image 1").click()
    page.wait_for_url("**/deployments/*")
    watch(page)

    page.goto(f"{path}/releases/2?base=1")
    expect(page.locator("#against")).to_contain_text("added")
    page.goto(f"{path}/rollback")
    expect(page.locator("#back")).to_contain_text("removed")
    page.get_by_role("button", name="Roll back to release 1").click()
    page.wait_for_url("**/deployments/*")
    watch(page)
    page.goto(path)
    expect(page.locator(".plotted polyline[points*=',']").first).to_be_attached(timeout=PATIENCE)


def live(site: Site) -> None:
    """Have the service live, whichever test runs first or alone."""
    deployments = site.app.api.get(f"{site.app.path}/deployments").json()["items"]
    if not any(one["status"] == "live" for one in deployments):
        assert ended(site.app, deploy(site.app))["status"] == "live"


def test_logs_stream_and_are_searched(site: Site, page: Page) -> None:
    live(site)
    page.goto(f"{site.app.path}/logs")
    lines = page.locator(".line .text")
    # What a process writes is text, whatever it looks like.
    expect(lines.filter(has_text=ATTACK).first).to_be_attached()
    before = lines.count()
    expect(lines.nth(before)).to_have_text("tick", timeout=PATIENCE)
    page.get_by_placeholder("Search for text").fill("onerror")
    expect(lines.filter(has_text="tick")).to_have_count(0)
    expect(lines.filter(has_text=ATTACK).first).to_be_attached()
    assert "taken" not in page.title()


def test_a_build_log_streams(site: Site, page: Page) -> None:
    page.goto(f"{site.app.path}/images")
    page.get_by_role("button", name="Build").click()
    page.wait_for_url("**/images/*")
    page.evaluate("window.stayed = true")
    expect(page.locator(".facts .pill")).to_have_text("built", timeout=PATIENCE)
    expect(page.locator("#build-log")).to_contain_text("FROM docker.io/barque/base:busybox")
    assert page.evaluate("window.stayed")


def test_names_are_text(site: Site, page: Page, api: httpx.Client) -> None:
    body = {"name": ATTACK, "slug": "attack", "platform": "wind"}
    assert api.post(f"{site.env}/services", json=body).status_code == 201
    locked = api.post(f"{site.env}/services/attack/lock", json={"reason": ATTACK})
    assert locked.status_code == 200
    variable = {"name": "ATTACK", "value": ATTACK}
    assert api.post(f"{site.env}/services/attack/config", json=variable).status_code == 201
    for path in (site.env, f"{site.env}/services/attack", f"{site.env}/services/attack/config"):
        page.goto(path)
        expect(page.get_by_text(ATTACK).first).to_be_visible()
        assert page.locator("main img, main script").count() == 0
        assert "'taken'" in page.title() or "taken" not in page.title()


def test_reading_and_forms_without_javascript(site: Site) -> None:
    live(site)
    context = site.context(java_script_enabled=False)
    page = context.new_page()
    path = site.app.path
    page.goto(path)
    page.get_by_role("link", name="measure now").click()
    expect(page.get_by_role("row", name="web.0")).to_contain_text("running")
    page.goto(f"{path}/logs?search=tick")
    expect(page.locator(".line .text").first).to_have_text("tick")
    page.goto(f"{path}/config")
    page.get_by_label("Name", exact=True).fill("1 wrong")
    # A browser that checks patterns is not what keeps wrong names out.
    page.locator("form", has=page.get_by_role("button", name="Set it")).evaluate(
        "form => form.noValidate = true"
    )
    page.get_by_role("button", name="Set it").click()
    expect(page.get_by_role("alert")).to_contain_text("must be letters, digits and _")
    expect(page.get_by_label("Name", exact=True)).to_have_value("1 wrong")
    page.get_by_label("Name", exact=True).fill("QUIET")
    page.get_by_label("Secret: never shown again").check()
    page.locator("[name=value]").last.fill("a secret value")
    page.get_by_role("button", name="Set it").click()
    expect(page.get_by_role("row", name="QUIET")).to_contain_text("secret")
    assert "a secret value" not in page.content()
    context.close()


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


def pages_of(site: Site) -> dict[str, str]:
    """Name every page, with an address of it that has something to show."""
    service = site.app.path
    project = site.env.partition("/envs/")[0]
    deployment = site.app.api.get(f"{service}/deployments").json()["items"][0]["id"]
    below = {
        "overview": "", "logs": "/logs", "deployments": "/deployments",
        "deployment": f"/deployments/{deployment}", "releases": "/releases",
        "release": "/releases/1", "images": "/images", "image": "/images/1", "config": "/config",
        "settings": "/settings", "deploy": "/deploy", "build-and-deploy": "/build-and-deploy",
        "rollback": "/rollback", "scale": "/scale", "restart": "/restart",
        "promote": "/promote?to=staging",
    }  # fmt: skip
    return {
        "organizations": "/", "keys": "/keys", "organization": site.org,
        "members": f"{site.org}/members", "audit": f"{site.org}/audit",
        "organization-config": f"{site.org}/config",
        "organization-settings": f"{site.org}/settings", "project": project,
        "project-settings": f"{project}/settings", "environment": site.env,
        "environment-settings": f"{site.env}/settings",
        "empty-environment": f"{project}/envs/staging",
        "empty-service": f"{site.env}/services/empty",
        **{f"service-{name}": f"{service}{path}" for name, path in below.items()},
    }  # fmt: skip


def test_every_page_is_accessible(site: Site, page: Page, api: httpx.Client) -> None:
    live(site)
    project = site.env.partition("/envs/")[0]
    api.post(f"{project}/envs", json={"name": "Staging", "env_type": "staging"})
    api.post(f"{project}/envs/staging/services", json={"name": "api", "platform": "wind"})
    api.post(f"{site.env}/services", json={"name": "Empty", "platform": "wind"})
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    axe, found = Axe(), []
    for name, path in pages_of(site).items():
        page.goto(path)
        for scheme, width, rules in (("light", 1280, LIGHT), ("dark", 360, DARK)):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            page.set_viewport_size({"width": width, "height": 800})
            until(lambda: page.evaluate("document.readyState") == "complete")
            page.screenshot(path=ARTEFACTS / f"{name}-{scheme}.png", full_page=True)
            found += [
                f"{name}, {scheme}: {one['id']} at {[node['target'] for node in one['nodes']]}"
                for one in axe.run(page, options=rules).response["violations"]
                if one["impact"] in ("serious", "critical")
            ]
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found.append(f"{name}: is wider than a phone")
    assert not found, "\n".join(found)


def test_the_sign_in_page_is_accessible(site: Site) -> None:
    page = site.browser.new_page(base_url=site.server.url)
    page.goto(site.app.path)
    expect(page.get_by_label("API key")).to_be_focused()
    page.screenshot(path=ARTEFACTS / "sign-in.png")
    impacts = {one["impact"] for one in Axe().run(page).response["violations"]}
    assert not impacts & {"serious", "critical"}
    page.get_by_label("API key").fill("barque_wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("the API key is unknown")
    # It leads to where one wanted to go.
    page.get_by_label("API key").fill(site.server.key)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{site.server.url}{site.app.path}")
    page.close()
