"""What the dashboard has to do with the world outside: webhooks, credentials, pull requests."""

import httpx
from playwright.sync_api import Page, expect

from tests.conftest import App
from tests.dashboard.conftest import Site
from tests.github.deliveries import pull, repository_of
from tests.receiver import receiver


def test_a_webhook_is_made_tried_and_deleted(site: Site, page: Page) -> None:
    with receiver() as there:
        page.goto(f"{site.org}/webhooks")
        page.get_by_label("Address").fill(there.url)
        page.get_by_label("deployment.live").check()
        page.get_by_role("button", name="Make it").click()
        first = page.locator(".made .whole").inner_text()
        page.locator("tr", has_text=f":{there.port}").get_by_role("link").click()
        expect(page.get_by_label("deployment.live")).to_be_checked()
        page.get_by_role("button", name="Send a ping").click()
        expect(page.get_by_role("row", name="ping")).to_contain_text("answered 204")
        assert there.received[0].signed_with(first)
        page.get_by_role("button", name="Make a new secret").click()
        second = page.locator(".made .whole").inner_text()
        page.get_by_role("button", name="Send again").click()
        expect(page.get_by_text("answered 204")).to_have_count(2)
        assert there.received[1].signed_with(second)
    assert first not in page.content()
    page.get_by_label("Active").uncheck()
    page.get_by_label("deployment.live").uncheck()
    page.get_by_role("button", name="Save").click()
    expect(page.locator("[data-region=state]")).to_contain_text("until it is active again")
    page.get_by_role("button", name="Delete the webhook").click()
    page.wait_for_url("**/webhooks?said=removed")
    expect(page.get_by_text(str(there.port))).to_have_count(0)


def test_a_credential_is_added_and_removed(site: Site, page: Page) -> None:
    page.goto(f"{site.org}/git-credentials")
    page.get_by_label("Name", exact=True).fill("token")
    page.get_by_label("Host", exact=True).fill("git.example.org")
    page.get_by_label("Value").fill("ghp_0123456789")
    page.get_by_role("button", name="Add").click()
    expect(page.locator(".variables")).to_contain_text("for git.example.org")
    assert "ghp_0123456789" not in page.content()
    page.get_by_label("Name", exact=True).fill("key")
    page.get_by_label("Kind").select_option("SSH key")
    page.get_by_label("Host", exact=True).fill("git.example.org")
    page.get_by_role("button", name="Add").click()
    page.get_by_text("Public key").click()
    expect(page.locator(".whole")).to_contain_text("ssh-ed25519 ")
    page.get_by_role("button", name="Remove key").click()
    expect(page.locator(".whole")).to_have_count(0)


def test_a_pull_request_is_shown_while_it_is_open(
    site: Site, live: App, api: httpx.Client, page: Page
) -> None:
    page.goto(f"{site.env.partition('/envs/')[0]}/previews")
    page.evaluate("window.stayed = true")
    expect(page.get_by_text("No preview yet")).to_be_visible()
    assert api.patch(site.env, json={"previews": True}).status_code == 200
    repository, commit = repository_of(live), live.git("rev-parse", "HEAD")
    assert pull(site.server, repository, "opened", commit, 1)["result"] == "started"
    expect(page.get_by_role("link", name="pr-12")).to_be_visible()
    expect(page.locator("[data-region=previews] .count")).to_have_count(1)
    assert pull(site.server, repository, "closed", commit, 2)["result"] == "removed"
    expect(page.get_by_text("No preview yet")).to_be_visible()
    assert page.evaluate("window.stayed")
    assert api.patch(site.env, json={"previews": False}).status_code == 200
