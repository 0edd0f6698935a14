"""Whoever watches a page sees what others change, and nothing moves under their hands."""

import uuid
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.conftest import WEB, App
from tests.dashboard.conftest import Site
from tests.dashboard.stillness import Still
from tests.e2e.helpers import build, deploy, ended

DESK, PHONE = {"width": 1280, "height": 800}, {"width": 360, "height": 800}
SEVERAL = 5
# A page, what is made of which there, and with which body.
LISTS = {
    "organizations": ("/", "/orgs", {"name": "{name}"}),
    "projects": ("{org}", "{org}/projects", {"name": "{name}"}),
    "environments": ("{project}", "{project}/envs", {"name": "{name}"}),
    "project's services": ("{project}", "{env}/services", {"name": "{name}", "platform": "wind"}),
    "services": ("{env}", "{env}/services", {"name": "{name}", "platform": "wind"}),
    "members": (
        "{org}/members", "{org}/members", {"email": "{name}@example.org", "role": "viewer"},
    ),
    "keys": ("/keys", "/api-keys", {"name": "{name}"}),
    "git credentials": (
        "{org}/git-credentials", "{org}/git-credentials",
        {"name": "{name}", "kind": "ssh_key", "host": "example.org"},
    ),
    "webhooks": ("{org}/webhooks", "{org}/webhooks", {"url": "https://{name}.example.org/x"}),
    "audit log": ("{org}/audit", "{org}/projects", {"name": "{name}"}),
    "config": ("{org}/config", "{org}/config", {"name": "{name}", "value": "x" * 40}),
    "resolved config": (
        "{service}/config", "{env}/config", {"name": "{name}", "value": "x" * 40},
    ),
    "next deployment": ("{service}", "{service}/config", {"name": "{name}", "value": "x"}),
}  # fmt: skip


@pytest.fixture(scope="module")
def pages(site: Site) -> Iterator[list[Page]]:
    """One page on a desk, and one on a phone."""
    context = site.context()
    found = [site.page(context), site.page(context)]
    for page, size in zip(found, (DESK, PHONE), strict=True):
        page.set_viewport_size({**size})
    yield found
    context.close()
    wrong, site.wrong = site.wrong, []
    assert not wrong


def look(pages: list[Page], path: str) -> list[Still]:
    for page in pages:
        page.goto(path)
    return [Still(page) for page in pages]


def arrives(pages: list[Page], text: str) -> None:
    for page in pages:
        expect(page.locator("[data-region]").get_by_text(text).first).to_be_attached()


def leave(pages: list[Page]) -> None:
    """Let go of the streams: what others make next is not for these pages."""
    for page in pages:
        page.goto("about:blank")


@pytest.mark.parametrize("name", LISTS)
def test_a_list_grows_and_nothing_moves(
    name: str, site: Site, live: App, api: httpx.Client, pages: list[Page]
) -> None:
    page, path, body = LISTS[name]
    places = {
        "org": site.org, "project": site.env.partition("/envs/")[0], "env": site.env,
        "service": live.path,
    }  # fmt: skip
    stills = look(pages, page.format(**places))
    mark = f"x{uuid.uuid4().hex[:8]}"
    for number in range(SEVERAL):
        filled = {field: value.format(name=f"{mark}{number}") for field, value in body.items()}
        assert api.post(path.format(**places), json=filled).status_code == 201
    arrives(pages, f"{mark}{SEVERAL - 1}")
    assert [still.moved() for still in stills] == [[], []]
    leave(pages)


def test_what_would_push_others_down_is_scrolled_until_the_device_turns(
    site: Site, api: httpx.Client, pages: list[Page]
) -> None:
    _, phone = pages
    phone.goto(site.org)
    below = phone.get_by_role("heading", name="New project")
    phone.set_viewport_size({"width": 360, "height": 20 + int(below.bounding_box()["y"])})  # type: ignore[index]
    still = Still(phone)
    assert api.post(f"{site.org}/projects", json={"name": "Zebra"}).status_code == 201
    arrives([phone], "Zebra")
    assert still.moved() == []
    region = phone.locator("[data-region=projects]")
    assert region.evaluate("one => one.scrollHeight > one.clientHeight")
    phone.get_by_role("link", name="Zebra").focus()
    expect(phone.get_by_role("link", name="Zebra")).to_be_in_viewport()
    phone.set_viewport_size({**PHONE})
    phone.wait_for_function(
        "() => { const one = document.querySelector('[data-region=projects]');"
        " return one.scrollHeight === one.clientHeight }"
    )
    leave(pages)


@pytest.mark.parametrize("page", ["", "/settings", "/logs", "/scale", "/releases/1"])
def test_a_lock_shows_by_itself(page: str, live: App, pages: list[Page]) -> None:
    stills = look(pages, live.path + page)
    locked = live.api.post(f"{live.path}/lock", json={"reason": "the ledger is counted " * 20})
    assert locked.status_code == 200
    for one in pages:
        expect(one.locator(".lock")).to_contain_text("Locked by admin@localhost: the ledger")
    assert live.api.delete(f"{live.path}/lock").status_code == 200
    for one in pages:
        expect(one.locator(".lock")).to_have_text("")
    assert [still.moved() for still in stills] == [[], []]
    leave(pages)


def test_what_fails_says_why_and_moves_nothing(live: App, pages: list[Page]) -> None:
    service = live.api.get(live.path).json()
    right = {name: service[name] for name in ("health_check_path", "deployment_timeout")}
    wrong = {"health_check_path": "/not-there", "deployment_timeout": 3}
    assert live.api.patch(live.path, json=wrong).status_code == 200
    stills = look(pages, live.path)
    assert ended(live, deploy(live))["status"] == "failed"
    for page in pages:
        expect(page.locator(".message.bad")).to_contain_text("/not-there")
    assert [still.moved() for still in stills] == [[], []]
    assert live.api.patch(live.path, json=right).status_code == 200
    live.commit({"Dockerfile": "FROM docker.io/barque/base:busybox\nRUN exit 3\n"})
    number = live.api.post(f"{live.path}/images/build").json()["version"]
    stills = look(pages, f"{live.path}/images/{number}")
    for page in pages:
        expect(page.locator(".message.bad")).to_be_visible(timeout=30_000)
    assert [still.moved() for still in stills] == [[], []]
    live.commit(WEB)
    leave(pages)


def test_a_form_does_what_the_page_showed(site: Site, live: App) -> None:
    context = site.context(java_script_enabled=False)
    page = context.new_page()
    build(live, WEB)
    newest = live.api.get(live.path).json()["latest_image"]["version"]
    page.goto(f"{live.path}/deploy")
    # Somebody else builds between the look and the click.
    build(live, WEB)
    page.get_by_role("button", name=f"Deploy image {newest}").click()
    page.wait_for_url("**/deployments/*")
    deployment = ended(live, page.url.rpartition("/")[2])
    release = live.api.get(f"{live.path}/releases/{deployment['release_version']}").json()
    assert release["image"]["version"] == newest
    context.close()
