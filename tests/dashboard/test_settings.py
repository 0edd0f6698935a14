"""Forms of settings: they change what was changed in them, lose nothing, and delete with care."""

import uuid

import httpx
from playwright.sync_api import Page, expect

from tests.dashboard.conftest import Site


def made(api: httpx.Client, site: Site) -> str:
    """Make a project, an environment and a service of its own, and return the service's path."""
    name = f"p{uuid.uuid4().hex[:8]}"
    assert api.post(f"{site.org}/projects", json={"name": name}).status_code == 201
    envs = f"{site.org}/projects/{name}/envs"
    assert api.post(envs, json={"name": "Staging"}).status_code == 201
    service = {"name": "Api", "platform": "wind", "github_repository": "acme/api"}
    assert api.post(f"{envs}/staging/services", json=service).status_code == 201
    return f"{envs}/staging/services/api"


def save(page: Page) -> None:
    page.get_by_role("button", name="Save").click()


def test_what_others_changed_meanwhile_stays(site: Site, page: Page, api: httpx.Client) -> None:
    path = made(api, site)
    page.goto(f"{path}/settings")
    assert api.patch(path, json={"root_directory": "apps/api"}).status_code == 200
    page.get_by_label("Name", exact=True).fill("Renamed")
    save(page)
    expect(page.get_by_text("Saved.")).to_be_visible()
    service = api.get(path).json()
    assert (service["name"], service["root_directory"]) == ("Renamed", "apps/api")
    save(page)
    expect(page.get_by_text("Saved.")).to_be_visible()
    env = path.partition("/services/")[0]
    page.goto(f"{env}/settings")
    assert api.patch(env, json={"previews": True}).status_code == 200
    page.get_by_label("Branch").fill("main")
    save(page)
    expect(page.get_by_text("Saved.")).to_be_visible()
    shown = api.get(env).json()
    assert (shown["previews"], shown["auto_deploy_branch"]) == (True, "main")


def test_what_is_refused_is_not_lost(site: Site, page: Page, api: httpx.Client) -> None:
    path = made(api, site)
    page.goto(f"{path}/settings")
    page.get_by_label("Name", exact=True).fill("Renamed")
    page.get_by_label("Folder in it").fill("../outside")
    page.get_by_label("Paths that matter").fill("src/**")
    save(page)
    expect(page.get_by_role("alert")).to_contain_text("root_directory")
    expect(page.get_by_label("Name", exact=True)).to_have_value("Renamed")
    expect(page.get_by_label("Folder in it")).to_have_value("../outside")
    page.get_by_label("Folder in it").fill("inside")
    save(page)
    expect(page.get_by_text("Saved.")).to_be_visible()
    service = api.get(path).json()
    assert (service["name"], service["root_directory"]) == ("Renamed", "inside")
    assert service["watch_paths"] == ["src/**"]


def test_what_is_deleted_is_named_first(site: Site, page: Page, api: httpx.Client) -> None:
    service = made(api, site)
    env = service.partition("/services/")[0]
    project = env.partition("/envs/")[0]
    for path, kind in ((service, "service"), (env, "environment"), (project, "project")):
        page.goto(f"{path}/settings")
        for typed, status in (("something else", 200), (path.rpartition("/")[2], 404)):
            page.get_by_label("to confirm").fill(typed)
            page.get_by_role("button", name=f"Delete the {kind}").click()
            shows = "nothing is deleted by mistake" if status == 200 else "Deleted, with all"
            expect(page.get_by_text(shows)).to_be_visible()
            assert api.get(path).status_code == status
        assert page.url.startswith(f"{site.server.url}{path.rsplit('/', 2)[0]}?")
