"""What nothing needs any longer goes, and what is needed stays."""

import sqlite3
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg

from tests.conftest import App, Server, free_port, make_app, make_env
from tests.e2e.helpers import until
from tests.e2e.test_builds import slow
from tests.postgresql import PostgreSQL

SEEN = "INSERT INTO github_deliveries (id, created) VALUES (?, ?)"
SENT = (
    "INSERT INTO webhook_deliveries (id, created, webhook_id, event_id, event, payload, status,"
    " attempts) VALUES (?, ?, 'x', 'x', 'ping', 'x', 'failed', 12)"
)
ANSWERED = (
    "INSERT INTO idempotency_records (key, request, status, answer, created)"
    " VALUES (?, 'x', 202, '{}', ?)"
)


def ago(**passed: float) -> str:
    return (datetime.now(UTC) - timedelta(**passed)).strftime("%Y-%m-%d %H:%M:%S.%f")


def ids(file: Path, query: str) -> set[str]:
    with sqlite3.connect(file) as database:
        return {row[0] for row in database.execute(query)}


def test_rows_go_by_age(own_server: Server) -> None:
    own_server.kill()
    store = own_server.data_dir / "barque.db"
    with sqlite3.connect(store) as database:
        # More than are deleted at once.
        for number in range(1200):
            database.execute(SEEN, (f"old {number}", ago(days=30, minutes=1)))
            database.execute(SENT, (f"old {number}", ago(days=30, minutes=1)))
            database.execute(ANSWERED, (f"old {number}", ago(hours=24, minutes=1)))
        database.execute(SEEN, ("recent", ago(days=29)))
        database.execute(SENT, ("recent", ago(days=29)))
        database.execute(ANSWERED, ("recent", ago(hours=23)))
    own_server.start()
    for table, key in (
        ("github_deliveries", "id"), ("webhook_deliveries", "id"), ("idempotency_records", "key"),
    ):  # fmt: skip
        query = f"SELECT {key} FROM {table}"
        until(lambda: "old 0" not in ids(store, query) and len(ids(store, query)) == 1)  # noqa: B023
        assert ids(store, query) == {"recent"}


def workflow(app: App, version: int) -> str:
    return f"build:{app.api.get(f'{app.path}/images/{version}').json()['id']}"


def test_work_goes_when_it_has_ended_long_ago(own_server: Server) -> None:
    with own_server.client() as client:
        app = make_app(own_server, client, make_env(client))
        app.commit({"README": "nothing to build"})
        long_ago, just_now = app.build(), app.build()
        assert app.image(long_ago)["status"] == app.image(just_now)["status"] == "error"
        app.commit(slow(60))
        unfinished = app.build()
        app.image(unfinished, "building")
        names = [workflow(app, version) for version in (long_ago, just_now, unfinished)]
        works = own_server.data_dir / "workflows.db"
        query = "SELECT workflow_uuid FROM workflow_status"
        until(lambda: ids(works, f"{query} WHERE status = 'SUCCESS'") == set(names[:2]))
        own_server.kill()
        days = (time.time() - 2 * 86400) * 1000
        with sqlite3.connect(works) as database:
            database.execute("UPDATE workflow_status SET created_at = ?", (days,))
            database.execute(
                "UPDATE workflow_status SET completed_at = ? WHERE workflow_uuid = ?",
                (days, names[0]),
            )
        own_server.start()
        until(lambda: names[0] not in ids(works, query))
        assert ids(works, query) == set(names[1:])
        # What was unfinished was taken up again, and can be ended like any other.
        app.image(unfinished, "building")
        client.post(f"{app.path}/images/{unfinished}/cancel").raise_for_status()
        assert app.image(unfinished)["status"] == "cancelled"
        assert app.image(long_ago)["status"] == "error"


def test_it_tidies_postgresql_as_well(postgresql: PostgreSQL, tmp_path: Path) -> None:
    server = Server(tmp_path / "barque", free_port(), database=postgresql.database())
    server.start()
    try:
        with server.client() as client, psycopg.connect(server.database, autocommit=True) as rows:
            app = make_app(server, client, make_env(client))
            app.commit({"README": "nothing to build"})
            app.image(app.build())
            ended = "SELECT workflow_uuid FROM dbos.workflow_status WHERE status = 'SUCCESS'"
            until(lambda: rows.execute(ended).fetchall() == [(workflow(app, 1),)])
            server.kill()
            rows.execute("UPDATE dbos.workflow_status SET completed_at = 1")
            for number, days in (("old", 31), ("recent", 29)):
                then = datetime.now(UTC) - timedelta(days=days)
                rows.execute("INSERT INTO github_deliveries VALUES (%s, %s)", (number, then))
            server.start()
            until(lambda: rows.execute(ended).fetchall() == [])
            assert rows.execute("SELECT id FROM github_deliveries").fetchall() == [("recent",)]
    finally:
        server.end()
