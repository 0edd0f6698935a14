"""What end-to-end tests do again and again."""

import hashlib
import hmac
import json
import os
import shutil
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import httpx

from tests.conftest import PLAIN, WEB, App, Server, ask, make_app

EXAMPLE_FOLDER = Path(__file__).parent.parent.parent / "examples"


def host_of(app: App) -> str:
    address = str(app.api.get(app.path).json()["url"])
    return address.removeprefix("http://").rpartition(":")[0]


def serving(server: Server, app: App, path: str = "/") -> httpx.Response:
    url = f"http://127.0.0.1:{server.apps_port}{path}"
    return ask(url, headers={"Host": host_of(app)}, timeout=60)


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


# Healthy only after a while, so that there is a middle for something to happen in.
SLOW = "web: sleep 2; exec httpd -f -p $PORT -h /www\n"


def deploy_slowly(app: App, files: dict[str, str]) -> str:
    """Build files and deploy them; return the deployment as it waits for the health check."""
    build(app, {"Procfile": SLOW, **files})
    deployment = deploy(app)
    path = f"{app.path}/deployments/{deployment}"
    until(lambda: app.api.get(path).json()["status"] == "checking")
    return deployment


def deploy_over(app: App, old: dict[str, str], new: dict[str, str]) -> str:
    """Have the old live; return the deployment of the new as it waits for the health check."""
    build(app, old)
    assert ended(app, deploy(app))["status"] == "live"
    return deploy_slowly(app, new)


def docker(*arguments: str) -> str:
    done = subprocess.run(["docker", *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def containers(app: App, *options: str) -> list[str]:
    """List the names of a service's containers that run, or of all with `-a`."""
    label = f"label=barque.service_id={app.api.get(app.path).json()['id']}"
    return sorted(docker("ps", *options, "--filter", label, "--format", "{{.Names}}").split())


def runs_in(container: str, command: str) -> bool:
    """Tell whether a process whose command holds a text runs in a container."""
    return command in docker("top", container, "-eo", "pid,args")


def serves(server: Server, app: App, text: str) -> bool:
    try:
        return serving(server, app).text == text
    except httpx.TransportError:
        return False


class Visit(NamedTuple):
    """A request and its answer; its status is 0 when there was none."""

    begun: float
    ended: float
    status: int
    text: str


# Visitors leave the processors to what they visit for a while.
_PAUSE = 0.02


@contextmanager
def visits(server: Server, app: App, path: str = "/") -> Iterator[list[Visit]]:
    """Ask for a page some 200 times a second, over keep-alive connections and new ones."""
    found: list[Visit] = []
    stop = threading.Event()
    url, headers = f"http://127.0.0.1:{server.apps_port}{path}", {"Host": host_of(app)}

    def visit(get: Callable[..., httpx.Response]) -> None:
        begun = time.monotonic()
        try:
            answer = get(url, headers=headers, timeout=60)
            status, text = answer.status_code, answer.text
        except httpx.HTTPError as error:
            status, text = 0, str(error)
        found.append(Visit(begun, time.monotonic(), status, text))

    def keep_asking() -> None:
        with httpx.Client(verify=PLAIN) as client:
            while not stop.is_set():
                visit(client.get)
                visit(ask)
                time.sleep(_PAUSE)

    threads = [threading.Thread(target=keep_asking) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        yield found
    finally:
        stop.set()
        for thread in threads:
            thread.join()


@contextmanager
def load(server: Server, app: App) -> Iterator[list[int]]:
    """Ask for the service's page all the while; at the end there are the answers' statuses."""
    answers: list[int] = []
    with visits(server, app) as found:
        yield answers
    answers += [visit.status for visit in found]


@dataclass(frozen=True)
class Example:
    """A sample repository as a service: its folder, and what its first page says."""

    name: str
    says: str
    root_directory: str | None = None
    secrets: dict[str, str] = field(default_factory=dict)


EXAMPLES = {
    "flask": Example("flask", "hello from flask"),
    "django": Example("django", "hello from django"),
    "fastapi-uv": Example("fastapi-uv", "hello from fastapi"),
    "express": Example("express", "hello from express"),
    "static": Example("static", "hello from a static site"),
    "go": Example("go", "hello from go"),
    "monorepo-api": Example("monorepo", "hello from the api", "api"),
    "monorepo-web": Example("monorepo", "hello from the web", "web"),
    "dockerfile-secrets": Example(
        "dockerfile-secrets", "with a secret: ca978112ca1b", secrets={"TOKEN": "a"}
    ),
}


def example(server: Server, api: httpx.Client, env: str, name: str) -> App:
    """Make a service of a sample, with a repository of its own."""
    wanted = EXAMPLES[name]
    app = make_app(server, api, env, name)
    shutil.copytree(EXAMPLE_FOLDER / wanted.name, app.repository, dirs_exist_ok=True)
    if name == "fastapi-uv":
        lock(app.repository)
    app.commit({})
    body = {"root_directory": wanted.root_directory}
    assert app.api.patch(app.path, json=body).status_code == 200
    for secret, value in wanted.secrets.items():
        body = {"name": secret, "value": value, "secret": True, "buildtime": True}
        assert app.api.post(f"{app.path}/config", json=body).status_code == 201
    return app


def lock(folder: Path) -> None:
    """Write the uv.lock that the sample leaves out: it would name the index of its maker."""
    command = [sys.executable, "-m", "uv", "lock", "-q", "--directory", str(folder)]
    environment = {k: v for k, v in os.environ.items() if k not in ("UV_FROZEN", "VIRTUAL_ENV")}
    subprocess.run(command, check=True, env=environment)


def push(server: Server, body: dict[str, object], **headers: str) -> httpx.Response:
    """Deliver what GitHub would, signed: a push, unless a header says otherwise."""
    raw = json.dumps(body).encode()
    signed = hmac.new(server.webhook_secret.encode(), raw, hashlib.sha256).hexdigest()
    sent = {
        "X-GitHub-Event": "push", "X-GitHub-Delivery": str(uuid.uuid4()),
        "X-Hub-Signature-256": f"sha256={signed}", **headers,
    }  # fmt: skip
    return httpx.post(f"{server.url}/api/v1/integrations/github/hooks", content=raw, headers=sent)
