"""What end-to-end tests do again and again."""

import time
from collections.abc import Callable

import httpx

from tests.conftest import WEB, App, Server


def host_of(app: App) -> str:
    address = str(app.api.get(app.path).json()["url"])
    return address.removeprefix("http://").rpartition(":")[0]


def serving(server: Server, app: App, path: str = "/") -> httpx.Response:
    url = f"http://127.0.0.1:{server.apps_port}{path}"
    return httpx.get(url, headers={"Host": host_of(app)}, timeout=60)


def deploy(app: App, verb: str = "deploy", body: dict[str, object] | None = None) -> str:
    answer = app.api.post(f"{app.path}/{verb}", json=body or {})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["deployment_id"])


def ended(app: App, deployment: str) -> dict[str, object]:
    deadline = time.monotonic() + 120
    while True:
        row: dict[str, object] = app.api.get(f"{app.path}/deployments/{deployment}").json()
        if row["status"] in ("live", "failed", "cancelled", "superseded", "retired"):
            return row
        assert time.monotonic() < deadline, row
        time.sleep(0.05)


def until(what: Callable[[], object], seconds: float = 60) -> object:
    """Wait until `what` returns something true, and return that."""
    deadline = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.05)
    return found


def web(text: str) -> dict[str, str]:
    return {"Dockerfile": WEB["Dockerfile"].replace("echo hello", f"echo {text}")}


def build(app: App, files: dict[str, str]) -> None:
    app.commit(files)
    image = app.image(app.build())
    assert image["status"] == "built", image
