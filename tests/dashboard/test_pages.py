"""Every page: accessible in light and dark, on a phone, without scripts, whatever it shows."""

import httpx
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.conftest import App
from tests.dashboard.conftest import ARTEFACTS, ATTACK, Site

AXE = Axe()
SERIOUS = """async (only) => {
  const rules = only ? {runOnly: only} : {};
  const found = await axe.run({resultTypes: ["violations"], preload: false, ...rules});
  return found.violations.filter((one) => ["serious", "critical"].includes(one.impact))
    .map((one) => `${one.id} at ${one.nodes.map((node) => node.target)}`);
}"""
# What differs from light to dark are the colours, and on a phone what has to scroll.
ELSEWHERE = ["color-contrast", "scrollable-region-focusable"]


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


def test_what_others_change_appears_by_itself(site: Site, page: Page, api: httpx.Client) -> None:
    project = site.env.partition("/envs/")[0]
    page.goto(site.org)
    page.evaluate("window.stayed = true")
    assert api.post(f"{site.org}/projects", json={"name": "Beside"}).status_code == 201
    expect(page.get_by_role("link", name="Beside")).to_contain_text("no service yet")
    env = f"{site.org}/projects/beside/envs"
    assert api.post(env, json={"name": "Staging"}).status_code == 201
    body = {"name": "Queue", "platform": "wind", "image_reference": "nginx:1.27"}
    assert api.post(f"{env}/staging/services", json=body).status_code == 201
    expect(page.get_by_role("link", name="Beside")).to_contain_text("1 new")
    expect(page.locator(".audit li").first).to_contain_text("service.create")
    assert page.evaluate("window.stayed")
    page.goto(f"{project}/envs/production/config")
    page.evaluate("window.stayed = true")
    variable = {"name": "BY_ANOTHER", "value": "1"}
    assert api.post(f"{site.env}/config", json=variable).status_code == 201
    expect(page.locator(".variables")).to_contain_text("BY_ANOTHER")
    assert page.evaluate("window.stayed")


def test_a_service_is_made_and_changed(site: Site, page: Page) -> None:
    page.goto(site.env)
    page.get_by_label("Name", exact=True).fill("Proxy")
    page.get_by_label("Or an image").fill("nginx:1.27")
    page.get_by_role("button", name="Make it").click()
    page.wait_for_url("**/services/proxy")
    page.get_by_role("link", name="Settings").click()
    expect(page.get_by_label("Or an image")).to_have_value("nginx:1.27")
    page.get_by_label("Or an image").fill("")
    page.get_by_label("Repository").fill("acme/proxy")
    page.get_by_label("Paths that matter").fill("src/**\n\nProcfile")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("Saved")
    expect(page.get_by_label("Paths that matter")).to_have_value("src/**\nProcfile")
    page.get_by_role("link", name="Images").click()
    expect(page.locator("#main")).to_contain_text("Of acme/proxy")


def test_the_keyboard_is_enough(site: Site, page: Page) -> None:
    page.goto(site.org)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Projects", exact=True)).to_be_focused()
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    assert page.evaluate(outline) == "solid"
    page.get_by_label("Name").focus()
    page.keyboard.type("By hand")
    page.keyboard.press("Enter")
    page.wait_for_url("**/projects/by-hand")
    assert not missed_by_tab(page)


def missed_by_tab(page: Page) -> list[str]:
    """Go through a page by the Tab key, and list what can be used but was not come by."""
    usable = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']"
    page.evaluate(
        """(usable) => {
          window.missed = new Set([...document.querySelectorAll(usable)]
            .filter((one) => one.checkVisibility({visibilityProperty: true})));
          addEventListener("focusin", (event) => window.missed.delete(event.target));
          document.activeElement.blur();
        }""",
        usable,
    )
    for _ in range(page.evaluate("window.missed.size") + 1):
        page.keyboard.press("Tab")
    return list(page.evaluate("[...window.missed].map((one) => one.outerHTML)"))


def test_reading_and_forms_without_javascript(site: Site, live: App) -> None:
    context = site.context(java_script_enabled=False)
    page = context.new_page()
    path = live.path
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


def pages_of(site: Site) -> dict[str, str]:
    """Name every page, with an address of it that has something to show."""
    service = site.app.path
    project = site.env.partition("/envs/")[0]
    deployment = site.app.api.get(f"{service}/deployments").json()["items"][0]["id"]
    hook = site.app.api.get(f"{site.org}/webhooks").json()[0]["id"]
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
        "organization-settings": f"{site.org}/settings",
        "git-credentials": f"{site.org}/git-credentials", "webhooks": f"{site.org}/webhooks",
        "webhook": f"{site.org}/webhooks/{hook}", "project": project,
        "previews": f"{project}/previews",
        "project-settings": f"{project}/settings", "environment": site.env,
        "environment-settings": f"{site.env}/settings",
        "empty-project": f"{site.org}/projects/empty",
        "empty-environment": f"{project}/envs/empty",
        "empty-service": f"{site.env}/services/empty",
        **{f"service-{name}": f"{service}{path}" for name, path in below.items()},
    }  # fmt: skip


def test_every_page_is_accessible(site: Site, page: Page, live: App) -> None:
    project = site.env.partition("/envs/")[0]
    live.api.post(f"{project}/envs", json={"name": "Staging", "env_type": "staging"})
    live.api.post(f"{site.org}/projects", json={"name": "Empty"})
    live.api.post(f"{project}/envs", json={"name": "Empty"})
    live.api.post(f"{project}/envs/staging/services", json={"name": "api", "platform": "wind"})
    live.api.post(f"{site.env}/services", json={"name": "Empty", "platform": "wind"})
    hook = live.api.post(f"{site.org}/webhooks", json={"url": "https://example.org/hook"}).json()
    live.api.post(f"{site.org}/webhooks/{hook['id']}/ping")
    key = {"name": "deploy", "kind": "ssh_key", "host": "example.org"}
    live.api.post(f"{site.org}/git-credentials", json=key)
    found = []
    for name, path in pages_of(site).items():
        page.set_viewport_size({"width": 1280, "height": 800})
        page.emulate_media(color_scheme="light")
        page.goto(path)
        page.evaluate(AXE.axe_script)
        found += looked_at(page, f"{name}-light")
        page.set_viewport_size({"width": 360, "height": 800})
        page.emulate_media(color_scheme="dark")
        found += looked_at(page, f"{name}-dark", ELSEWHERE)
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found.append(f"{name}: is wider than a phone")
    assert not found, "\n".join(found)


def looked_at(page: Page, name: str, rules: list[str] | None = None) -> list[str]:
    """Keep how a page looks, and list what is seriously wrong with it."""
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=ARTEFACTS / f"{name}.jpg", type="jpeg", quality=80, full_page=True)
    return [f"{name}: {one}" for one in page.evaluate(SERIOUS, rules)]


def test_the_sign_in_page_is_accessible(site: Site) -> None:
    page = site.browser.new_page(base_url=site.server.url)
    page.goto(site.app.path)
    expect(page.get_by_label("API key")).to_be_focused()
    page.evaluate(AXE.axe_script)
    assert not looked_at(page, "sign-in")
    page.get_by_label("API key").fill("barque_wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("the API key is unknown")
    # It leads to where one wanted to go.
    page.get_by_label("API key").fill(site.server.key)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{site.server.url}{site.app.path}")
    page.close()
