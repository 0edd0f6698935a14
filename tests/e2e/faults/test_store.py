"""The database under faults: the platform killed amid writes, the store locked or gone."""

import random
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.conftest import Server, ask, free_port, make_env
from tests.e2e.helpers import until
from tests.postgresql import PostgreSQL

WRITES = 1000
CLIENTS = 12
KILLS = 4
# Enough of them that a kill would be likely to come in between, if they were not one write.
PARTS = "ABCD"


@pytest.fixture(params=["sqlite", "postgresql"])
def either_server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    over = None
    if request.param == "postgresql":
        postgresql: PostgreSQL = request.getfixturevalue("postgresql")
        over = postgresql.database()
    running = Server(tmp_path / "barque", free_port(), database=over)
    running.start()
    yield running
    running.end()


class Writers:
    """Many clients, each write of theirs with a number: a service, a build, or some variables."""

    def __init__(self, server: Server, env: str, builds: str) -> None:
        self._server = server
        self.env, self.builds = env, builds
        self.up = threading.Event()
        self.up.set()
        self.acknowledged: dict[int, httpx.Response] = {}
        self.doubtful: set[int] = set()
        self._clients = threading.local()

    def write(self, number: int) -> None:
        self.up.wait()
        try:
            answer = self.ask(self._client(), number)
        except httpx.ConnectError:
            # It never got there: it is no write yet.
            time.sleep(0.05)
            self.write(number)
        except httpx.TransportError:
            self.doubtful.add(number)
        else:
            assert answer.is_success, answer.text
            self.acknowledged[number] = answer

    def ask(self, client: httpx.Client, number: int) -> httpx.Response:
        match number % 10:
            case 0:
                body = {"name": f"s{number}", "platform": "wind"}
                return client.post(f"{self.env}/services", json=body)
            case 1:
                key = {"Idempotency-Key": f"build-{number}"}
                return client.post(f"{self.builds}/images/build", json={}, headers=key)
        variables = [{"name": name, "value": f"v{number}"} for name in names(number)]
        return client.post(f"{self.env}/config/bulk", json={"variables": variables})

    def _client(self) -> httpx.Client:
        if not hasattr(self._clients, "one"):
            self._clients.one = self._server.client()
        client: httpx.Client = self._clients.one
        return client


def names(number: int) -> list[str]:
    return [f"V{number}_{part}" for part in PARTS]


def test_no_acknowledged_write_is_lost(either_server: Server) -> None:
    server, seed = either_server, random.randrange(2**32)
    print(f"seed {seed}")
    with server.client() as client:
        env = make_env(client)
        other = env.rpartition("/")[0]
        client.post(other, json={"name": "Builds"}).raise_for_status()
        service = {"name": "api", "platform": "wind", "github_repository": "no/where"}
        client.post(f"{other}/builds/services", json=service).raise_for_status()
    writers = Writers(server, env, f"{other}/builds/services/api")
    moments = sorted(random.Random(seed).sample(range(50, WRITES - 50), KILLS))
    with ThreadPoolExecutor(CLIENTS) as pool:
        writing = [pool.submit(writers.write, number) for number in range(WRITES)]
        for moment in moments:
            until(lambda: len(writers.acknowledged) + len(writers.doubtful) >= moment)  # noqa: B023
            server.kill()
            writers.up.clear()
            try:
                server.start()
            finally:
                writers.up.set()
        for one in writing:
            one.result()
    server.kill()
    server.start()
    with server.client() as client:
        assert len(writers.acknowledged) + len(writers.doubtful) == WRITES
        # In doubt is what was under way at a kill, and what came while the process was ending.
        assert 0 < len(writers.doubtful) <= KILLS * CLIENTS * 2
        check_variables(client, writers)
        check_services(client, writers)
        check_builds(client, writers)
        check_audit_log(client, writers)


def check_variables(client: httpx.Client, writers: Writers) -> None:
    found = {row["name"]: row["value"] for row in client.get(f"{writers.env}/config").json()}
    for number in range(WRITES):
        if number % 10 > 1:
            there = [found.get(name) for name in names(number)]
            assert there == [f"v{number}"] * len(PARTS) or (
                number in writers.doubtful and there == [None] * len(PARTS)
            ), number


def check_services(client: httpx.Client, writers: Writers) -> None:
    found = {row["slug"] for row in client.get(f"{writers.env}/services").json()}
    assert found >= {f"s{number}" for number in writers.acknowledged if number % 10 == 0}
    for number in writers.doubtful:
        if f"s{number}" in found:
            row = client.get(f"{writers.env}/services/s{number}").json()
            assert (row["platform"], row["process_counts"]) == ("wind", {"web": 1})


def check_builds(client: httpx.Client, writers: Writers) -> None:
    asked = {number for number in range(WRITES) if number % 10 == 1}
    # Whoever was left in doubt asks again with the same key, and nothing is begun twice.
    again = {number: writers.ask(client, number).json() for number in asked}
    for number in asked & writers.acknowledged.keys():
        assert again[number] == writers.acknowledged[number].json()
    assert sorted(one["version"] for one in again.values()) == list(range(1, len(asked) + 1))
    images = everything(client, f"{writers.builds}/images")
    assert {one["id"]: one["version"] for one in images} == {
        one["image_id"]: one["version"] for one in again.values()
    }
    until(lambda: ended_builds(client, writers) == len(asked), 120)


def ended_builds(client: httpx.Client, writers: Writers) -> int:
    images = everything(client, f"{writers.builds}/images")
    return sum(one["status"] == "error" for one in images)


def check_audit_log(client: httpx.Client, writers: Writers) -> None:
    """Each write left its rows in the audit log, and what was not written left none."""
    org = "/".join(writers.env.split("/")[:3])
    noted = Counter((row["action"], row["target"]) for row in everything(client, f"{org}/audit"))
    assert set(noted.values()) == {1}
    kinds = Counter(action for action, _ in noted)
    assert kinds["config.set"] == len(client.get(f"{writers.env}/config").json())
    assert kinds["service.create"] == len(client.get(f"{writers.env}/services").json()) + 1
    assert kinds["image.build"] == len(everything(client, f"{writers.builds}/images"))


def everything(client: httpx.Client, path: str) -> list[dict[str, object]]:
    found, page = [], 1
    while items := client.get(path, params={"page": page, "per_page": 100}).json()["items"]:
        found += items
        page += 1
    return found


def refused(server: Server, answer: httpx.Response) -> None:
    """An answer says what to do, and so does /ready, while /health has nothing to complain of."""
    assert answer.status_code == answer.json()["status"] == 503, answer.text
    assert "database" in answer.json()["message"]
    assert "try again" in answer.json()["message"]
    assert int(answer.headers["Retry-After"]) > 0
    assert ask(f"{server.url}/health").status_code == 200
    ready = ask(f"{server.url}/ready", timeout=60)
    assert ready.status_code == 503
    assert "database cannot be used" in ready.json()["database"]
    assert ready.json()["router"] == "ok"


def test_another_program_holds_the_database(tmp_path: Path) -> None:
    settings = {"BARQUE_DATABASE_TIMEOUT": "1"}
    server = Server(tmp_path / "barque", free_port(), environment=settings)
    server.start()
    try:
        with server.client() as client, sqlite3.connect(server.data_dir / "barque.db") as other:
            env = make_env(client)
            body = {"name": "A", "value": "1"}
            other.execute("BEGIN IMMEDIATE")
            refused(server, client.post(f"{env}/config", json=body))
            # Whoever only reads is not kept waiting.
            assert client.get(f"{env}/config").json() == []
            with ThreadPoolExecutor(6) as pool:
                asked = [pool.submit(client.post, f"{env}/config", json=body) for _ in range(6)]
                assert {one.result().status_code for one in asked} == {503}
            other.rollback()
            assert client.post(f"{env}/config", json=body).status_code == 201
            assert server.ready()["database"] == "ok"
    finally:
        server.end()


def test_postgresql_is_gone_and_comes_back(tmp_path: Path) -> None:
    postgresql = PostgreSQL(free_port())
    server = Server(tmp_path / "barque", free_port(), database=postgresql.database())
    server.start()
    try:
        with server.client() as client:
            env = make_env(client)
            service = {"name": "api", "platform": "wind", "github_repository": "no/where"}
            client.post(f"{env}/services", json=service).raise_for_status()
            postgresql.stop()
            refused(server, client.get(env))
            refused(server, client.post(f"{env}/config", json={"name": "A", "value": "1"}))
            assert ask(f"{server.url}/metrics").status_code == 503
            postgresql.start()
            assert client.get(f"{env}/config").json() == []
            assert server.ready()["database"] == "ok"
            # Work is begun and carried out again, too.
            build = client.post(f"{env}/services/api/images/build", json={})
            assert build.status_code == 202
            image = f"{env}/services/api/images/1"
            until(lambda: client.get(image).json()["status"] == "error", 120)
    finally:
        server.end()
        postgresql.remove()
