"""Sessions: programs in containers that are talked to, over the real engine."""

import hashlib
import threading
from collections.abc import Iterator

import httpx
import pytest

from barque.client import ApiError, AsyncClient, Blocking, Client, Service, Session, Unreachable
from tests.conftest import App, Server, ask, make_app, make_env
from tests.e2e.helpers import build, containers, deploy, docker, ended, runs_in, until, web
from tests.e2e.test_contract import key_of

SECRET = "hunter2-correct-horse"


def live(app: App) -> App:
    build(app, web("x"))
    secret = {"name": "TOKEN", "value": SECRET, "secret": True}
    assert app.api.post(f"{app.path}/config", json=secret).status_code == 201
    assert ended(app, deploy(app))["status"] == "live"
    return app


@pytest.fixture
def service(server: Server, app: App) -> Iterator[Service[Blocking]]:
    live(app)
    with Client(server.url, server.key) as client:
        yield client.service(app.address)


def written(session: Session) -> str:
    return b"".join(one.data for one in session).decode()


def test_pipes(service: Service[Blocking]) -> None:
    with service.open_exec("cat; echo wrong >&2; exit 7") as session:
        session.send(b"one\n")
        session.end_input()
        found = list(session)
        assert [one.data for one in found if not one.is_error] == [b"one\n"]
        assert [one.data for one in found if one.is_error] == [b"wrong\n"]
        assert session.exit_code == 7
    # Both ways at once, more than fits on the way.
    much = bytes(range(256)) * 40_000
    with service.open_exec("cat") as session:
        sender = threading.Thread(target=lambda: (session.send(much), session.end_input()))
        sender.start()
        digest, size = hashlib.sha256(), 0
        for one in session:
            digest.update(one.data)
            size += len(one.data)
        sender.join()
        assert (size, digest.digest()) == (len(much), hashlib.sha256(much).digest())
    with service.open_exec('echo "it is $TOKEN"') as session:
        assert SECRET not in written(session)
        assert session.exit_code == 0


def test_a_terminal(service: Service[Blocking], app: App) -> None:
    with service.open_exec(size=(33, 101)) as session:
        output = iter(session)
        shown = b""

        def until_shown(text: bytes) -> None:
            nonlocal shown
            while text not in shown:
                shown += next(output).data
            shown = shown.partition(text)[2]

        # What is typed ahead of a prompt is dropped by the shell.
        until_shown(b"# ")
        session.send(b"stty size\n")
        until_shown(b"33 101")
        until_shown(b"# ")
        session.resize(20, 44)
        session.send(b"stty size\n")
        until_shown(b"20 44")
        until_shown(b"# ")
        session.send(b"sleep 1000\n")
        until(lambda: runs_in(containers(app)[0], "sleep 1000"))
        session.send(b"\x03")
        until_shown(b"# ")
        assert not runs_in(containers(app)[0], "sleep 1000")
        session.send(b"exit 5\n")
        list(output)
        assert session.exit_code == 5


def test_a_one_off(service: Service[Blocking], app: App) -> None:
    with service.open_run("read -r line; echo $BARQUE_PROCESS $line $TOKEN; exit 4") as session:
        session.send(b"said\n")
        shown = written(session)
        assert shown.startswith("run said ")
        assert SECRET not in shown
        assert session.exit_code == 4
    with service.open_run("stty size; sleep 1000", size=(33, 101)) as session:
        assert b"33 101" in next(iter(session)).data
        assert len(containers(app)) == 2
    until(lambda: len(containers(app, "-a")) == 1)


async def test_in_asyncio(server: Server, app: App) -> None:
    live(app)
    async with AsyncClient(server.url, server.key) as client:
        opened = client.service(app.address).open_exec("read -r line; echo $line twice")
        async with opened as session:
            await session.send(b"said\n")
            assert [one.data async for one in session] == [b"said twice\n"]
            assert session.exit_code == 0


def test_what_a_session_left_is_ended(service: Service[Blocking], app: App) -> None:
    sleeps = "(setsid sleep 71001 &) ; env -i sleep 71002 & trap : HUP; echo on; sleep 71003"
    with service.open_exec(sleeps) as session:
        assert next(iter(session)).data == b"on\n"
        assert runs_in(containers(app)[0], "sleep 71001")
    until(lambda: not runs_in(containers(app)[0], "sleep 7100"))
    [name] = containers(app)
    with (
        pytest.raises(ApiError, match="has ended, and the command with it"),
        service.open_exec("echo on; sleep 71004") as session,
    ):
        for _ in session:
            docker("rm", "-f", name)


def test_the_platform_ends_sessions_before_itself(own_server: Server) -> None:
    with own_server.client() as api:
        app = live(make_app(own_server, api, make_env(api)))
        [name] = containers(app)
        with (
            Client(own_server.url, own_server.key) as client,
            pytest.raises((ApiError, Unreachable)),
            client.service(app.address).open_exec("echo on; sleep 71005") as session,
        ):
            for _ in session:
                assert own_server.process is not None
                own_server.process.terminate()
        own_server.process.wait()
        assert not runs_in(name, "sleep 71005")


def refused(service: Service[Blocking], **where: object) -> ApiError:
    with pytest.raises(ApiError) as found, service.open_exec("true", **where):  # type: ignore[arg-type]
        pass
    return found.value


def test_who_may_enter(server: Server, app: App) -> None:
    live(app)
    env = app.path.partition("/services/")[0]
    assert app.api.patch(env, json={"protected": True}).status_code == 200
    body = {"command": "true"}
    for role, status in (("viewer", 403), ("developer", 403), ("admin", 200)):
        key = key_of(app, role)
        with server.client(key) as api, Client(server.url, key) as client:
            for verb in ("exec", "run"):
                assert api.post(f"{app.path}/{verb}", json=body).status_code == status, role
            service = client.service(app.address)
            if status == 200:
                with service.open_exec("exit 3") as session:
                    assert list(session) == []
                    assert session.exit_code == 3
            else:
                assert refused(service).status == status
    with Client(server.url, "brq_wrong") as client:
        assert refused(client.service(app.address)).status == 401


def test_what_was_begun_ends_with_its_key(server: Server, app: App) -> None:
    says = "web: (while sleep 0.2; do echo on; done) & exec httpd -f -p $PORT -h /www\n"
    build(app, {**web("x"), "Procfile": says})
    assert ended(app, deploy(app))["status"] == "live"
    key = key_of(app, "developer")
    with Client(server.url, key) as client, server.client(key) as api:
        service = client.service(app.address)
        lines = service.follow_logs()
        assert next(lines)["text"] == "on"
        with pytest.raises(ApiError) as told, service.open_exec("echo on; sleep 71006") as session:
            for _ in session:
                [revoked] = api.get("/api-keys").json()
                assert api.delete(f"/api-keys/{revoked['id']}").status_code == 204
        assert told.value.status == 401
        with pytest.raises(ApiError) as told:
            list(lines)
        assert told.value.status == 401
    [name] = containers(app)
    until(lambda: not runs_in(name, "sleep 71006"))


def test_what_is_wrong_is_said_before_anything_runs(
    service: Service[Blocking], server: Server, app: App
) -> None:
    for where, status in (
        ({"process": "cron"}, 409), ({"index": 7}, 409), ({"index": -1}, 422),
        ({"size": (-1, 80)}, 422), ({"size": (24, 0)}, 422),
    ):  # fmt: skip
        error = refused(service, **where)
        assert error.status == status, where
        assert error.message
    with pytest.raises(ApiError) as found, service.open_exec("x" * 40_000) as session:
        list(session)
    assert found.value.status == 422
    url = f"{server.url}/api/v1{app.path}/exec/session"
    answer = httpx.get(url, headers={"X-API-Key": server.key})
    assert (answer.status_code, answer.json()["status"]) == (426, 426)
    assert ask(f"{server.url}/health").status_code == 200
