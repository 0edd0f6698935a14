"""Rules of the contract that need something to be deployed."""

import subprocess
import uuid

from tests.conftest import App, Server, ask
from tests.e2e.helpers import build, deploy, ended, web


def key_of(app: App, role: str, scope: str = "admin") -> str:
    """Make a member of the app's organization, and return a key of theirs."""
    org = app.path.split("/")[2]
    email = f"{role}-{uuid.uuid4().hex[:6]}@example.org"
    app.api.post(f"/orgs/{org}/members", json={"email": email, "role": role})
    body = {"name": "x", "org": org, "user": email, "scope": scope}
    return str(app.api.post("/api-keys", json=body).json()["key"])


def test_roles_and_scopes_around_a_deployment(server: Server, app: App) -> None:
    build(app, web("x"))
    assert ended(app, deploy(app))["status"] == "live"
    env = app.path.partition("/services/")[0]
    writes: list[tuple[str, dict[str, object]]] = [
        ("deploy", {}), ("rollback", {"release_version": 1}), ("restart", {}),
        ("scale", {"process_counts": {"web": 1}}), ("run", {"command": "true"}),
        ("images/build", {}), ("config", {"name": "A", "value": "1"}),
    ]  # fmt: skip
    cases = [("viewer", "admin", 403), ("admin", "read", 403)]
    for role, scope, status in cases:
        with server.client(key_of(app, role, scope)) as client:
            assert client.get(f"{app.path}/deployments").status_code == 200
            for verb, body in writes:
                answer = client.post(f"{app.path}/{verb}", json=body)
                assert answer.status_code == status, (role, scope, verb)
    app.api.patch(env, json={"protected": True})
    with server.client(key_of(app, "developer", "deploy")) as developer:
        for verb, body in writes[:3]:
            assert developer.post(f"{app.path}/{verb}", json=body).status_code == 403, verb
        branch = {"auto_deploy_branch": "main"}
        assert developer.patch(app.path, json=branch).status_code == 403
        app.api.patch(env, json={"protected": False})
        assert ended(app, deploy(App(developer, app.path, app.repository)))["status"] == "live"


def test_a_key_of_another_org_finds_nothing(server: Server, app: App, org: str) -> None:
    body = {"name": "x", "org": org.removeprefix("/orgs/")}
    with server.client(app.api.post("/api-keys", json=body).json()["key"]) as stranger:
        for path in ("", "/config", "/images", "/releases", "/deployments", "/processes", "/logs"):
            assert stranger.get(f"{app.path}{path}").status_code == 404
        for verb in ("deploy", "rollback", "restart", "images/build"):
            assert stranger.post(f"{app.path}/{verb}", json={}).status_code == 404


def test_idempotency_keys(app: App) -> None:
    build(app, web("x"))
    first = deploy(app)
    assert ended(app, first)["status"] == "live"
    requests: list[tuple[str, dict[str, object], dict[str, object]]] = [
        ("deploy", {}, {"image_version": 1}), ("rollback", {"release_version": 1}, {}),
        ("restart", {}, {"x": 1}),
        ("scale", {"process_counts": {"web": 1}}, {"process_counts": {"web": 2}}),
    ]  # fmt: skip
    for verb, body, other in requests:
        headers = {"Idempotency-Key": uuid.uuid4().hex}
        path = f"{app.path}/{verb}"
        answers = [app.api.post(path, json=body, headers=headers) for _ in range(2)]
        assert answers[0].status_code == answers[1].status_code == 202, verb
        assert answers[0].json() == answers[1].json()
        assert app.api.post(path, json=other, headers=headers).status_code in (409, 422)
        ended(app, answers[0].json()["deployment_id"])
    assert app.api.get(f"{app.path}/deployments").json()["pagination"]["total"] == 4


def test_what_changes_is_audited(app: App) -> None:
    build(app, web("x"))
    assert ended(app, deploy(app))["status"] == "live"
    ended(app, deploy(app, "restart"))
    app.api.post(f"{app.path}/scale", json={"process_counts": {"web": 2}})
    app.api.post(f"{app.path}/run", json={"command": "true"})
    app.api.patch(app.path, json={"deployment_timeout": 60})
    app.api.delete(app.path)
    rows = app.api.get(f"/orgs/{app.path.split('/')[2]}/audit").json()["items"]
    assert [row["action"] for row in rows][:8] == [
        "service.delete", "service.update", "service.run", "service.scale", "service.restart",
        "service.deploy", "image.build", "service.create",
    ]  # fmt: skip
    assert {row["actor"] for row in rows} == {"admin@localhost"}
    assert rows[1]["before"] == {"deployment_timeout": 180}
    assert rows[3]["after"] == {"web": 2}
    assert all(row["address"] == "127.0.0.1" for row in rows)


def test_what_a_container_gets(app: App) -> None:
    app.api.post(f"{app.path}/config", json={"name": "COLOUR", "value": "blue"})
    build(app, web("x"))
    row = ended(app, deploy(app))
    assert row["status"] == "live"
    label = f"label=barque.deployment_id={row['id']}"
    listed = ["docker", "ps", "-q", "--filter", label]
    name = subprocess.run(listed, capture_output=True, text=True, check=True).stdout.strip()

    def inside(command: str) -> str:
        run = ["docker", "exec", name, "sh", "-c", command]
        return subprocess.run(run, capture_output=True, text=True, check=True).stdout

    environment = dict(line.split("=", 1) for line in inside("env").splitlines() if "=" in line)
    org = app.path.split("/")[2]
    sha = app.git("rev-parse", "HEAD")
    wanted = {
        "COLOUR": "blue", "PORT": "8000", "BARQUE_ORG": org, "BARQUE_PROJECT": "shop",
        "BARQUE_ENV": "production", "BARQUE_SERVICE": "api", "BARQUE_PROCESS": "web",
        "BARQUE_RELEASE": "1", "BARQUE_COMMIT": sha,
    }  # fmt: skip
    assert {name: environment.get(name) for name in wanted} == wanted
    status = inside("cat /proc/1/status")
    assert "NoNewPrivs:\t1" in status
    inspected = ["docker", "inspect", name, "--format"]
    shape = "{{.HostConfig.Memory}} {{.HostConfig.PidsLimit}} {{.HostConfig.NanoCpus}}"
    done = subprocess.run([*inspected, shape], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(512 * 2**20), "512", "1000000000"]


def test_a_platform_is_one_patch_and_one_deploy(app: App) -> None:
    build(app, web("x"))
    assert ended(app, deploy(app))["status"] == "live"
    for name in ("steam", "nuclear"):
        assert app.api.patch(app.path, json={"platform": name}).status_code == 200
        assert ended(app, deploy(app))["status"] == "live"
    assert [row["platform"] for row in app.api.get(f"{app.path}/releases").json()] == [
        "nuclear", "steam", "wind",
    ]  # fmt: skip
    answer = app.api.patch(app.path, json={"platform": "coal"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "platform"


def test_lists_and_pages(app: App) -> None:
    row = app.api.get(f"{app.path.rpartition('/')[0]}/").json()[0]
    assert row.keys() >= {
        "id", "name", "slug", "platform", "github_repository", "process_counts",
    }  # fmt: skip
    full = app.api.get(app.path).json()
    assert full["process_counts"] == {"web": 1}
    assert full["health_check_path"] == "/_health/"
    assert full["deployment_timeout"] == 180
    assert (full["latest_image"], full["latest_release"], full["latest_deployment"]) == (None,) * 3
    assert app.api.get(app.path.replace("/api", f"/{full['id']}")).json() == full
    versions = [app.build() for _ in range(3)]
    page = app.api.get(f"{app.path}/images", params={"page": 2, "per_page": 2}).json()
    assert [one["version"] for one in page["items"]] == [versions[0]]
    assert page["pagination"] == {"page": 2, "per_page": 2, "total": 3, "pages": 2}
    for params in ({"page": 0}, {"per_page": 0}, {"per_page": 101}, {"page": "x"}):
        assert app.api.get(f"{app.path}/images", params=params).status_code == 422
    assert app.api.get(f"{app.path}/releases").json() == []
    assert isinstance(app.api.get(f"{app.path}/deployments").json()["items"], list)


def test_a_bad_repository_says_what_to_do(app: App) -> None:
    app.api.patch(app.path, json={"github_repository": "no/where"})
    image = app.image(app.build())
    assert image["status"] == "error"
    assert "check github_repository" in str(image["error_detail"])
    app.api.patch(app.path, json={"github_repository": None})
    answer = app.api.post(f"{app.path}/images/build")
    assert answer.status_code == 409
    assert "github_repository" in answer.json()["message"]


def test_the_api_answers_json_errors(server: Server) -> None:
    answer = ask(f"{server.url}/api/v1/orgs/none", headers={"X-API-Key": server.key})
    assert answer.json() == {"status": 404, "message": "organization 'none' not found"}


def test_a_lock_stops_deployments(app: App) -> None:
    build(app, web("x"))
    assert ended(app, deploy(app))["status"] == "live"
    assert app.api.post(f"{app.path}/lock", json={"reason": ""}).status_code == 422
    locked = app.api.post(f"{app.path}/lock", json={"reason": "we are moving"}).json()
    assert (locked["locked_by"], locked["lock_reason"]) == ("admin@localhost", "we are moving")
    answer = app.api.post(f"{app.path}/deploy")
    assert answer.status_code == 409
    assert "we are moving" in answer.json()["message"]
    assert app.api.post(f"{app.path}/rollback", json={"release_version": 1}).status_code == 409
    assert ended(app, deploy(app, "restart"))["status"] == "live"
    assert app.api.delete(f"{app.path}/lock").json()["locked_by"] is None
    assert ended(app, deploy(app))["status"] == "live"
