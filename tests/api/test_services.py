import httpx
import pytest

NEW = {"name": "My API", "platform": "wind"}
SEED = {"id", "name", "slug", "platform", "github_repository", "process_counts"}


def test_defaults(api: httpx.Client, env: str) -> None:
    answer = api.post(f"{env}/services/", json=NEW)
    assert answer.status_code == 201
    made = answer.json()
    assert made["slug"] == "my-api"
    assert made["health_check_path"] == "/_health/"
    assert (made["dockerfile"], made["root_directory"]) == ("Dockerfile", None)
    assert made["deployment_timeout"] == 180
    assert made["process_counts"] == {"web": 1}
    assert made["url"].startswith("http://my-api.production.shop.org-")
    assert api.get(f"{env}/services/my-api").json() == made
    assert api.get(f"{env}/services/{made['id']}/").json() == made
    (row,) = api.get(f"{env}/services").json()
    assert row.keys() >= SEED


@pytest.mark.parametrize("name", ["wind", "steam", "diesel", "stirling", "nuclear", "electric"])
def test_every_platform(api: httpx.Client, env: str, name: str) -> None:
    made = api.post(f"{env}/services", json={"name": "a", "platform": name})
    assert made.json()["platform"] == name


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("platform", "coal"), ("name", "---"), ("name", "x" * 64), ("github_repository", "acme"),
        ("github_repository", "a/../b"), ("health_check_path", "health"),
        ("health_check_path", "/a b"), ("deployment_timeout", 0), ("deployment_timeout", 3601),
        ("deployment_timeout", "9"), ("slug", "-a"), ("auto_deploy_branch", ""),
        ("dockerfile", ""), ("dockerfile", "../Dockerfile"), ("dockerfile", "/etc/passwd"),
        ("dockerfile", None), ("root_directory", ".."), ("root_directory", "a/../.."),
        ("root_directory", "a//b"), ("root_directory", "/a"), ("root_directory", "x" * 256),
    ],
)  # fmt: skip
def test_bad_fields(api: httpx.Client, env: str, field: str, value: object) -> None:
    answer = api.post(f"{env}/services", json={**NEW, field: value})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field


def test_patch_changes_only_what_it_names(api: httpx.Client, env: str) -> None:
    made = api.post(f"{env}/services", json={**NEW, "github_repository": "acme/api"}).json()
    changed = api.patch(f"{env}/services/my-api", json={"platform": "nuclear", "name": "B"}).json()
    assert changed == {**made, "platform": "nuclear", "name": "B", "updated": changed["updated"]}
    cleared = api.patch(f"{env}/services/my-api", json={"github_repository": None}).json()
    assert cleared["github_repository"] is None
    where = {"dockerfile": "docker/Dockerfile.web", "root_directory": ".apps/web-1"}
    placed = api.patch(f"{env}/services/my-api", json=where).json()
    assert {name: placed[name] for name in where} == where
    assert api.patch(f"{env}/services/my-api", json={"root_directory": ".."}).status_code == 422


def test_children_need_cascade(api: httpx.Client, env: str) -> None:
    api.post(f"{env}/services", json=NEW)
    org, project = env.split("/projects", maxsplit=1)[0], env.split("/envs", maxsplit=1)[0]
    for parent in (env, project, org):
        assert api.delete(parent).status_code == 409
    assert api.delete(org, params={"cascade": "true"}).status_code == 204
    assert api.get(f"{env}/services/my-api").status_code == 404


def test_delete(api: httpx.Client, env: str) -> None:
    api.post(f"{env}/services", json=NEW)
    assert api.post(f"{env}/services", json=NEW).status_code == 409
    assert api.delete(f"{env}/services/my-api").status_code == 204
    assert api.get(f"{env}/services/my-api").status_code == 404
    assert api.post(f"{env}/services", json=NEW).status_code == 201


def test_protection_needs_an_admin_only_to_change(api: httpx.Client, env: str) -> None:
    assert api.patch(env, json={"protected": True}).json()["protected"] is True
    assert api.patch(env, json={"env_type": "moon"}).status_code == 422
