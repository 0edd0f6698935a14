"""From a repository to a service that is live, in a real browser."""

from playwright.sync_api import Page, expect

from tests.conftest import make_app, make_env
from tests.dashboard.conftest import ATTACK, SAYING, Site
from tests.dashboard.stillness import Still

PATIENCE = 60_000


def watch(page: Page) -> None:
    """Wait until the deployment on the page is live, step by step and without loading it anew."""
    still = Still(page, loading=True)
    expect(page.locator(".route li.done")).to_have_count(7, timeout=PATIENCE)
    expect(page.locator(".headline .pill")).to_have_text("live")
    assert still.moved() == []


def build(page: Page, path: str) -> None:
    """Build the first image, and see its log come line by line."""
    page.goto(path)
    expect(page.get_by_text("Not deployed yet")).to_be_visible()
    page.get_by_role("link", name="Build the first image").click()
    page.get_by_role("button", name="Build").click()
    page.wait_for_url("**/images/1")
    page.evaluate("window.stayed = true")
    expect(page.locator(".facts .pill")).to_have_text("built", timeout=PATIENCE)
    expect(page.locator("#build-log")).to_contain_text("FROM docker.io/barque/base:busybox")
    assert page.evaluate("window.stayed")


def deploy(page: Page, path: str, where: str = "") -> None:
    """Deploy in one click, and watch on the deployment's page or another."""
    page.goto(path)
    page.get_by_role("button", name="Deploy image 1").click()
    page.wait_for_url("**/deployments/*")
    if where:
        page.goto(where)
    watch(page)


def configure(page: Page, path: str) -> None:
    """Set a variable, and see where it comes from and what it would change."""
    page.goto(f"{path}/config")
    page.get_by_label("Name", exact=True).fill("GREETING")
    page.locator("[name=value]").last.fill("hello")
    page.get_by_role("button", name="Set it").click()
    expect(page.get_by_role("row", name="GREETING")).to_contain_text("its own")
    page.goto(path)
    expect(page.get_by_role("row", name="GREETING")).to_contain_text("added")


def roll_back(page: Page, path: str) -> None:
    """Compare two releases, and go back to the first."""
    page.goto(f"{path}/releases/2?base=1")
    expect(page.locator("#against")).to_contain_text("added")
    page.goto(f"{path}/rollback")
    expect(page.locator("#back")).to_contain_text("removed")
    page.get_by_role("button", name="Roll back to release 1").click()
    page.wait_for_url("**/deployments/*")
    watch(page)


def scale(page: Page, path: str) -> None:
    """Ask for a worker, and see it run."""
    page.goto(f"{path}/scale")
    page.get_by_label("worker").fill("1")
    page.get_by_role("button", name="Scale").click()
    page.wait_for_url(f"**{path}?said=scaled")
    worker = page.get_by_role("row", name="worker.0")
    expect(worker).to_contain_text("running", timeout=PATIENCE)
    # A line through two samples at least.
    expect(worker.locator("polyline[points*=' ']").first).to_be_attached(timeout=PATIENCE)


def promote(page: Page, path: str) -> None:
    """Look at what would change in another environment, and have it live there."""
    page.goto(f"{path}/promote")
    page.locator("#target").select_option("staging")
    expect(page.locator("#change")).to_contain_text("GREETING")
    page.get_by_role("button", name="Promote image 1 to staging").click()
    page.wait_for_url("**/staging/services/api/deployments/*")
    watch(page)


def restart(page: Page, path: str) -> None:
    """Have every instance replaced."""
    page.goto(f"{path}/restart")
    page.get_by_role("button", name="Restart every instance").click()
    page.wait_for_url("**/deployments/*")
    expect(page.get_by_role("heading", name="Restart of release")).to_be_visible()


def read_logs(page: Page, path: str) -> None:
    """Follow what the service writes, and search it."""
    page.goto(f"{path}/logs")
    lines = page.locator(".line .text")
    # What a process writes is text, whatever it looks like.
    expect(lines.filter(has_text=ATTACK).first).to_be_attached()
    before = lines.count()
    expect(lines.nth(before)).to_have_text("tick", timeout=PATIENCE)
    page.get_by_placeholder("Search for text").fill("onerror")
    expect(lines.filter(has_text="tick")).to_have_count(0)
    expect(lines.filter(has_text=ATTACK).first).to_be_attached()
    assert "taken" not in page.title()


def test_from_a_repository_to_live_and_back(site: Site, page: Page) -> None:
    app = make_app(site.server, site.app.api, make_env(site.app.api))
    app.commit(SAYING)
    envs = app.path.partition("/production/")[0]
    assert app.api.post(envs, json={"name": "Staging"}).status_code == 201
    there = {"name": "api", "platform": "wind"}
    assert app.api.post(f"{envs}/staging/services", json=there).status_code == 201
    build(page, app.path)
    deploy(page, app.path)
    configure(page, app.path)
    deploy(page, app.path, where=app.path)
    roll_back(page, app.path)
    read_logs(page, app.path)
    scale(page, app.path)
    promote(page, app.path)
    restart(page, app.path)
