"""Runtime logs of real containers: followed over kills, searched, bounded by process, kept."""

import itertools
import json
import sqlite3
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from barque.client import Blocking, Client, Service
from tests.conftest import App, Server, free_port, make_app, make_env
from tests.e2e.helpers import build, deploy, ended, until, web

# Two lines at once, then one of the other output: each instance counts its own.
WORKER = (
    "worker: trap 'echo $HOSTNAME bye; exit 0' TERM; i=0; while :; do"
    ' printf "$HOSTNAME $i\\n$HOSTNAME $((i+1))\\n"; echo $HOSTNAME $((i+2)) >&2;'
    " i=$((i+3)); sleep 0.1; done\n"
)
WEB = "web: exec httpd -f -p $PORT -h /www\n"


def client_of(server: Server, app: App) -> Service[Blocking]:
    parts = app.path.strip("/").split("/")
    return Client(server.url, server.key).service("/".join(parts[1::2]))


def scale(app: App, **counts: int) -> None:
    answer = app.api.post(f"{app.path}/scale", json={"process_counts": counts})
    assert answer.status_code == 202


def lines(app: App, **query: object) -> list[dict[str, Any]]:
    answer = app.api.get(f"{app.path}/logs", params=query)  # type: ignore[arg-type]
    assert answer.status_code == 200, answer.text
    return list(answer.json()["lines"])


def texts(app: App, **query: object) -> list[str]:
    return [line["text"] for line in lines(app, **query)]


@contextmanager
def following(
    service: Service[Blocking], **query: object
) -> Iterator[tuple[list[Any], list[int | None]]]:
    """Follow the log in a thread, with the client that users have, to the end of the service."""
    seen: list[Any] = []
    gaps: list[int | None] = []

    def follow() -> None:
        for row in service.follow_logs(gaps.append, **query):
            seen.append(row)

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    yield seen, gaps
    thread.join(30)
    assert not thread.is_alive()


def assert_counted(rows: list[Any]) -> dict[str, list[str]]:
    """Each instance's lines are there from the first on, each once, each output in order."""
    ids = [row["id"] for row in rows]
    assert ids == sorted(set(ids))
    said: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        who, what = row["text"].split(" ")
        said[who].append(what)
    for who, all_of_it in said.items():
        numbers = [int(what) for what in all_of_it if what != "bye"]
        assert sorted(numbers) == list(range(len(numbers))), who
        for error in (True, False):
            mine = [n for n in numbers if (n % 3 == 2) is error]
            assert mine == sorted(mine), who
    return said


def test_followed_over_kills_and_replacements(own_server: Server) -> None:
    with own_server.client() as api:
        app = make_app(own_server, api, make_env(api))
        build(app, {**web("x"), "Procfile": WEB + WORKER})
        scale(app, worker=1)
        assert ended(app, deploy(app))["status"] == "live"
        service = client_of(own_server, app)
        with following(service, process="worker", tail=20_000) as (seen, gaps):
            until(lambda: len(seen) > 30)
            for pause in (0.0, 1.0):
                own_server.kill()
                time.sleep(pause)
                own_server.start()
                before = len(seen)
                until(lambda: len(seen) > before + 30)  # noqa: B023 - asked at once
            # A rollout that is killed while both generations write.
            deployment = deploy(app, "restart")
            until(lambda: len({row["text"].split(" ")[0] for row in seen}) == 2)
            own_server.kill()
            own_server.start()
            assert ended(app, deployment)["status"] == "live"
            scale(app, worker=0)
            until(
                lambda: [row["type"] for row in api.get(f"{app.path}/processes").json()] == ["web"]
            )
            kept = lines(app, process="worker", tail=20_000)
            until(lambda: len(seen) >= len(kept))
            assert api.delete(app.path).status_code == 204
        assert gaps == []
        assert seen == kept
        # What was said last is kept, though the container is gone; only those that the killed
        # rollout had begun were given no time to say it.
        last = [what[-1] for what in assert_counted(seen).values()]
        assert (last[0], last[-1]) == ("bye", "bye"), last


def gaps_from_the_first_line(app: App) -> Iterator[int]:
    """Resume long after what was to come next was let go, and read to the newest line."""
    newest = lines(app, tail=1)[0]["id"]
    headers = {"Accept": "text/event-stream", "Last-Event-ID": "0"}
    with app.api.stream("GET", f"{app.path}/logs", headers=headers) as answer:
        for line in answer.iter_lines():
            if line.startswith('data: {"lines":'):
                yield int(json.loads(line.removeprefix("data: "))["lines"])
            if line == f"id: {newest}":
                return


@pytest.fixture
def small_server(tmp_path: Path) -> Iterator[Server]:
    bounds = {"BARQUE_LOG_LINES": "300", "BARQUE_LOG_BYTES": "65536"}
    running = Server(tmp_path / "barque", free_port(), environment=bounds)
    running.start()
    yield running
    running.end()


def test_a_chatty_web_pushes_out_no_line_of_a_worker(small_server: Server) -> None:
    chatty = "web: seq 1 20000; echo done; exec httpd -f -p $PORT -h /www\n"
    long = "head -c 300000 /dev/zero | tr '\\0' z; echo"
    worker = f"worker: echo at work; {long}; sleep 1; echo still; exec sleep 1000\n"
    with small_server.client() as api:
        app = make_app(small_server, api, make_env(api))
        build(app, {**web("x"), "Procfile": chatty + worker})
        scale(app, worker=1)
        assert ended(app, deploy(app))["status"] == "live"
        until(lambda: texts(app, process="web", tail=1) == ["done"])
        until(lambda: "still" in texts(app, process="worker"))
        begin, cut, last = lines(app, process="worker")
        assert (begin["text"], last["text"]) == ("at work", "still")
        assert cut["text"].startswith("z" * 32768)
        assert cut["text"].endswith("[cut]")
        assert len(cut["text"]) < 33_000
        kept = texts(app, process="web", tail=20_000)
        assert kept == [str(number) for number in range(19702, 20001)] + ["done"]
        with following(client_of(small_server, app), tail=20_000) as (seen, gaps):
            until(lambda: len(seen) >= 303)
            assert sum(gaps_from_the_first_line(app)) == 20_001 - 300
            api.delete(app.path)
        assert sum(gap or 0 for gap in gaps) + len(seen) == seen[-1]["id"] - seen[0]["id"] + 1
        assert [row["text"] for row in seen if row["process"] == "web"] == kept


def test_search_time_process_and_tail(app: App) -> None:
    said = "echo Alpha 100%; sleep 1.1; echo beta_1; echo BETAx1; sleep 1.1; echo gamma"
    build(app, {**web("x"), "Procfile": WEB + f"worker: {said}; exec sleep 1000\n"})
    scale(app, worker=1)
    assert ended(app, deploy(app))["status"] == "live"
    until(lambda: "gamma" in texts(app))
    alpha, beta, betax, gamma = lines(app, process="worker")
    assert texts(app, search="alpha 100%") == ["Alpha 100%"]
    assert texts(app, search="BETA_1") == ["beta_1"]
    assert texts(app, search="beta") == ["beta_1", "BETAx1"]
    assert texts(app, search="beta", tail=1) == ["BETAx1"]
    assert texts(app, search="beta", process="web") == []
    window = {"since": beta["at"], "until": gamma["at"]}
    assert texts(app, **window) == ["beta_1", "BETAx1"]
    assert texts(app, **window, search="x", process="worker") == ["BETAx1"]
    assert texts(app, until=alpha["at"], process="worker") == []
    zoned = datetime.fromisoformat(betax["at"][:26] + "+00:00").isoformat()
    assert texts(app, since=zoned) in (["BETAx1", "gamma"], ["beta_1", "BETAx1", "gamma"])
    assert texts(app, until=datetime.now(UTC).isoformat(), tail=1) == ["gamma"]
    # With following as well: what is over ends, and says so.
    query = {**window, "follow": "true", "search": "beta"}
    with app.api.stream("GET", f"{app.path}/logs", params=query) as answer:
        sent = "".join(answer.iter_text()).split("\n\n")
    said = [json.loads(block.partition("data: ")[2]) for block in sent if "data: " in block]
    assert said == [beta, betax, {"status": "until"}]
    for query in (
        {"since": "yesterday"}, {"until": "2026-01-01T00:00:00"}, {"search": ""},
        {"since": gamma["at"], "until": beta["at"]}, {"search": "x" * 1001}, {"tail": "-1"},
        {"process": "a b"}, {"until": "2026-13-01T00:00:00Z"},
    ):  # fmt: skip
        for more in ({}, {"follow": "true"}):
            answer = app.api.get(f"{app.path}/logs", params={**query, **more})
            assert answer.status_code == 422, query
            assert answer.json()["errors"][0]["field"] in query


def test_a_log_that_cannot_be_written_stops_nothing(own_server: Server) -> None:
    with own_server.client() as api:
        app = make_app(own_server, api, make_env(api))
        # Whoever is first makes the file.
        assert lines(app) == []
        with closing(sqlite3.connect(own_server.data_dir / "logs.db")) as other:
            other.isolation_level = None
            until(lambda: _locked(other))
            build(app, {**web("x"), "Procfile": WEB + WORKER})
            scale(app, worker=1)
            first = deploy(app)
            assert ended(app, first)["status"] == "live"
            second = deploy(app, "restart")
            assert ended(app, second)["status"] == "live"
            assert lines(app) == []
            other.execute("ROLLBACK")
        until(lambda: len({text.split(" ")[0] for text in texts(app)}) == 2)
        scale(app, worker=0)
        until(lambda: len([text for text in texts(app) if text.endswith("bye")]) == 2)
        said = assert_counted(lines(app, tail=20_000))
        assert all(what[-1] == "bye" for what in said.values()), said
        until(lambda: "built" in app.log(1))
        log = api.get(f"{app.path}/deployments/{first}/log").json()["log_text"]
        assert "live: the new release serves" in log


def _locked(database: sqlite3.Connection) -> bool:
    try:
        database.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError:
        return False
    return True


def test_removed_with_the_service(server: Server, app: App) -> None:
    marker = "a line of mine alone"
    build(app, {**web("x"), "Procfile": f"web: echo {marker}; exec httpd -f -p $PORT -h /www\n"})
    assert ended(app, deploy(app))["status"] == "live"
    until(lambda: texts(app) == [marker])
    with (
        httpx.Client(base_url=app.api.base_url, headers=app.api.headers, timeout=60) as other,
        other.stream("GET", f"{app.path}/logs", params={"follow": "true"}) as answer,
    ):
        sent = answer.iter_text()
        until(lambda: marker in next(sent))
        assert app.api.delete(app.path).status_code == 204
        assert '"status":"deleted"' in "".join(itertools.islice(sent, 3))
    with closing(sqlite3.connect(server.data_dir / "logs.db")) as database:
        asked = "SELECT count(*) FROM lines WHERE text=?"
        until(lambda: database.execute(asked, (marker,)).fetchone() == (0,))
