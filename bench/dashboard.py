"""Every page of the dashboard over 1,000 services and 10,000 deployments.

For each page: the time until the whole answer is there, over one connection, each time after
something was changed, so that it is not one that was kept; and Chromium's first contentful paint.
Beside them, in the same run, the same of pages and answers that hold nothing: `/health`, and the
page to sign in at. Run it with `make bench-dashboard`. The bars are 50 ms (p95) and 200 ms.
"""

import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Browser, sync_playwright
from sqlalchemy import create_engine, insert
from sqlalchemy.orm import Session

from barque.accounts.models import Organization
from barque.audit.models import AuditEntry
from barque.deployments.models import Deployment
from barque.images.models import Image
from barque.names import new_id
from barque.projects.models import Environment
from barque.releases.models import Release
from barque.services.models import Service
from barque.store.tables import now
from tests.conftest import Server, free_port
from tests.dashboard.conftest import CHROMIUM, OPTIONS

SERVICES, DEPLOYMENTS = 1000, 10
# Half of the services are in one environment, the others in 19.
CROWDED = 500
ROUNDS, PAINTS = 25, 4
ORG, PROJECT, ENV = "/orgs/acme", "/orgs/acme/projects/p0", "/orgs/acme/projects/p0/envs/e0"
SERVICE, LOCK = f"{ENV}/services/s0", f"{ENV}/services/s1/lock"
STEPS = ("releasing", "starting", "checking", "switching", "draining", "live")


def main() -> None:
    with filled() as server:
        pages = addresses(server)
        with server.client() as client:
            floor = times(client, f"{server.url}/health")
            print(f"{'':26} {'answer, ms':>32}  {'paint, ms':>14}  KiB")
            print(f"{'/health':26} {figures(floor)}")
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
                ground = paints(browser, server, "/sign-in")
                print(f"{'/sign-in':26} {'':32}  {paint(ground)}")
                measure(client, browser, server, pages, floor, ground)
                browser.close()


def measure(
    client: httpx.Client, browser: Browser, server: Server, pages: dict[str, str],
    floor: list[float], ground: list[float],
) -> None:  # fmt: skip
    slowest, latest = [0.0], [0.0]
    client.headers["Accept"] = "text/html"
    for name, path in pages.items():
        answered = times(client, f"{server.url}{path}")
        painted = paints(browser, server, path)
        held = len(client.get(f"{server.url}{path}").content) / 1024
        print(f"{name:26} {figures(answered)}  {paint(painted)}  {held:.0f}")
        slowest, latest = max(slowest, answered, key=p95), max(latest, painted, key=max)
    print(f"slowest page: p95 {p95(slowest):.1f} ms, {p95(slowest) / p95(floor):.1f} x /health's")
    print(f"last paint: {max(latest):.0f} ms, {max(latest) / max(ground):.1f} x that of /sign-in")


def times(client: httpx.Client, url: str) -> list[float]:
    """Return milliseconds of each answer after a change, but for a first one."""
    found = []
    for turn in range(ROUNDS + 1):
        if turn % 2:
            client.post(LOCK, json={"reason": "to measure"}).raise_for_status()
        else:
            client.delete(LOCK).raise_for_status()
        begun = time.perf_counter()
        client.get(url).raise_for_status()
        found.append((time.perf_counter() - begun) * 1000)
    return sorted(found[1:])


def paints(browser: Browser, server: Server, path: str) -> list[float]:
    """Return milliseconds of each first contentful paint, after one that is not counted."""
    context = browser.new_context(base_url=server.url, extra_http_headers={"X-API-Key": server.key})
    page = context.new_page()
    found = []
    for _ in range(PAINTS + 1):
        page.goto(path)
        first = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
        page.wait_for_function(f"() => {first} !== undefined")
        found.append(float(page.evaluate(first)))
    context.close()
    return sorted(found[1:])


def p95(found: list[float]) -> float:
    return found[int(len(found) * 0.95)] if len(found) > 1 else found[0]


def figures(found: list[float]) -> str:
    return f"min {found[0]:5.1f} median {statistics.median(found):5.1f} p95 {p95(found):5.1f}"


def paint(found: list[float]) -> str:
    return f"{statistics.median(found):4.0f} max {max(found):4.0f}"


def addresses(server: Server) -> dict[str, str]:
    with server.client() as client:
        deployment = client.get(f"{SERVICE}/deployments").json()["items"][0]["id"]
        url = {"url": "https://example.org/hook", "active": False}
        webhook = client.post(f"{ORG}/webhooks", json=url).json()["id"]
    below = (
        "logs", "deployments", f"deployments/{deployment}", "releases", "releases/10", "images",
        "images/10", "config", "settings", "deploy", "build-and-deploy", "rollback", "scale",
        "restart", "promote",
    )  # fmt: skip
    return {
        "organizations": "/", "keys": "/keys", "organization": ORG, "audit": f"{ORG}/audit",
        "members": f"{ORG}/members", "organization config": f"{ORG}/config",
        "organization settings": f"{ORG}/settings", "webhooks": f"{ORG}/webhooks",
        "webhook": f"{ORG}/webhooks/{webhook}", "git credentials": f"{ORG}/git-credentials",
        "previews": f"{PROJECT}/previews", "project, half of all": PROJECT,
        "project": "/orgs/acme/projects/p5", "project config": f"{PROJECT}/config",
        "project settings": f"{PROJECT}/settings", "environment, half of all": ENV,
        "its last page": f"{ENV}?page=10", "environment": "/orgs/acme/projects/p5/envs/e0",
        "search": f"{ENV}?search=s49", "environment config": f"{ENV}/config",
        "environment settings": f"{ENV}/settings", "service": SERVICE,
        **{f"service {one.partition('/0')[0]}": f"{SERVICE}/{one}" for one in below},
    }  # fmt: skip


@contextmanager
def filled() -> Iterator[Server]:
    """Start a platform over a database that was filled by hand."""
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder) / "barque", free_port())
        # The platform's own default, not that of the tests.
        server.environment["BARQUE_HEALTH_INTERVAL"] = "5"
        server.start()
        try:
            with server.client() as client:
                client.post("/orgs", json={"name": "acme"}).raise_for_status()
                for project in range(10):
                    client.post("/orgs/acme/projects", json={"name": f"p{project}"})
                    for env in range(2):
                        path = f"/orgs/acme/projects/p{project}/envs"
                        client.post(path, json={"name": f"e{env}"}).raise_for_status()
            server.kill()
            fill(server.data_dir / "barque.db")
            server.start()
            yield server
        finally:
            server.end()


def fill(path: Path) -> None:
    with Session(create_engine(f"sqlite:///{path}")) as session:
        org = session.query(Organization).one()
        envs = session.query(Environment).order_by(Environment.id).all()
        for number in range(SERVICES):
            env = envs[0] if number < CROWDED else envs[1 + number % (len(envs) - 1)]
            one_service(session, org.id, env.id, number)
        session.commit()


def one_service(session: Session, org: str, env: str, number: int) -> None:
    service = new_id()
    # Without an instance: the platform would start what is live and does not run.
    row = Service(
        id=service, environment_id=env, name=f"Service {number}", slug=f"s{number}",
        platform="wind", github_repository="acme/api", health_check_path="/_health/",
        deployment_timeout=180, process_counts={"web": 0}, last_image_version=DEPLOYMENTS,
        last_release_version=DEPLOYMENTS,
    )  # fmt: skip
    session.add(row)
    session.flush()
    begun = now() - timedelta(days=20)
    for table in (Image, Release, Deployment, AuditEntry):
        session.execute(insert(table), [
            _row(table, org, service, version, begun + timedelta(hours=version))
            for version in range(1, DEPLOYMENTS + 1)
        ])  # fmt: skip


def _row(table: Any, org: str, service: str, version: int, at: Any) -> dict[str, Any]:
    own = {"id": f"{service[:-6]}{version:06}", "created": at, "service_id": service}
    newest = version == DEPLOYMENTS
    ended = {"started": at, "finished": at + timedelta(seconds=8)}
    if table is Image:
        return {
            **own, **ended, "version": version, "status": "built", "reference": "barque/none:1",
            "commit_sha": "0" * 40, "processes": {"web": "serve"}, "cancel_requested": False,
            "size_bytes": 4_000_000, "image_digest": f"sha256:{version:064}",
        }  # fmt: skip
    if table is Release:
        config = [
            {"name": f"NAME_{n}", "scope": "service", "secret": False, "fingerprint": "0" * 16}
            for n in range(10)
        ]
        return {
            **own, "version": version, "image_id": own["id"], "image_version": version,
            "image_reference": "barque/none:1", "platform": "wind", "commit_sha": "0" * 40,
            "health_check_path": "/_health/", "processes": {"web": "serve"},
            "config_snapshot": config, "sealed_config": b"", "status": "live",
            "changes": {"image": True, "config": {"added": [], "removed": [], "changed": []}},
        }  # fmt: skip
    if table is Deployment:
        moment = at.isoformat()
        steps = [
            {"name": one, "started": moment, "finished": moment, "message": one} for one in STEPS
        ]
        return {
            **own, **ended, "release_id": own["id"], "trigger": "deploy", "steps": steps,
            "actor": "admin@localhost", "status": "live" if newest else "retired",
            "cancel_requested": False,
        }  # fmt: skip
    return {
        "id": own["id"], "created": at, "org_id": org, "actor": "admin@localhost",
        "address": "127.0.0.1", "action": "service.deploy", "target": "acme/p0/e0/s0",
        "after": {"release": version},
    }  # fmt: skip


if __name__ == "__main__":
    main()
