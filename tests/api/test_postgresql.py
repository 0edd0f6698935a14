"""The same platform over PostgreSQL."""

from pathlib import Path

from tests.conftest import Server, free_port, make_app, make_env
from tests.e2e.helpers import build, deploy, ended, serving, until, web
from tests.postgresql import PostgreSQL
from tests.receiver import receiver


def test_from_an_org_to_a_rollback_over_postgresql(postgresql: PostgreSQL, tmp_path: Path) -> None:
    settings = {"BARQUE_IMAGES_KEPT": "1", "BARQUE_PRUNE_INTERVAL": "1"}
    server = Server(
        tmp_path / "barque", free_port(), database=postgresql.database(), environment=settings
    )
    server.start()
    try:
        with server.client() as client, receiver() as hooked:
            app = make_app(server, client, make_env(client))
            org = app.path.partition("/projects")[0]
            body = {"url": hooked.url, "events": ["deployment.rolled_back"]}
            assert client.post(f"{org}/webhooks", json=body).status_code == 201
            answer = client.post(f"{app.path}/config", json={"name": "A", "value": "1"})
            assert answer.status_code == 201
            assert (
                client.post(f"{app.path}/config", json={"name": "A", "value": "2"}).json()["value"]
                == "2"
            )
            versions = [app.build() for _ in range(3)]
            assert versions == [1, 2, 3]
            build(app, web("one"))
            assert ended(app, deploy(app))["status"] == "live"
            server.kill()
            server.start()
            build(app, web("two"))
            assert ended(app, deploy(app))["status"] == "live"
            assert serving(server, app).text == "two\n"
            assert ended(app, deploy(app, "rollback"))["status"] == "live"
            assert serving(server, app).text == "one\n"
            project = app.path.partition("/envs/")[0]
            history = client.get(f"{project}/pipeline/history").json()
            assert history["pagination"]["total"] == 8
            assert client.get(f"{project}/pipeline/metrics").json()["deployments"]["failed"] == 0
            build(app, web("three"))
            assert ended(app, deploy(app))["status"] == "live"
            until(lambda: client.get(f"{app.path}/images/5").json()["pruned"])
            body = {"image_version": 5}
            assert client.post(f"{app.path}/deploy", json=body).status_code == 409
            assert client.get(f"{app.path}/images/4").json()["pruned"] is None
            until(lambda: hooked.events() == ["deployment.rolled_back"])
            assert not list(server.data_dir.glob("barque.db"))
    finally:
        server.end()
