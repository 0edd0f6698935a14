"""The Python client, blocking and in asyncio, against the real platform."""

import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from barque.client import (
    ApiError,
    AsyncClient,
    Awaiting,
    Blocking,
    CannotPack,
    Client,
    Retries,
    Service,
    Unreachable,
)
from tests.client.proxy import Proxy
from tests.conftest import App, Server, free_port


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    with Client(server.url, server.key) as opened:
        yield opened


@pytest.fixture
async def aclient(server: Server) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(server.url, server.key) as opened:
        yield opened


@pytest.fixture
def proxy(server: Server) -> Iterator[Proxy]:
    with Proxy(server.port) as running:
        yield running


def test_it_needs_nothing_of_the_server() -> None:
    program = (
        "import sys, barque.client\n"
        "print(*{'litestar', 'sqlalchemy', 'dbos', 'typer', 'msgspec'} & sys.modules.keys())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert done.stdout.split() == []


def test_what_people_own(client: Client, org: str) -> None:
    name = org.removeprefix("/orgs/")
    assert name in [one["slug"] for one in client.orgs()]
    assert client.org(name).create_project(name="Shop")["slug"] == "shop"
    project = client.project(f"{name}/shop")
    assert project.create_env(name="Live", env_type="production", protected=True)["protected"]
    env = client.env(f"{name}/shop/live")
    assert env.update(protected=False)["protected"] is False
    made = env.create_service(name="Api", platform="wind", github_repository="a/b")
    service = client.service(f"{name}/shop/live/api")
    assert service.get() == made
    assert [one["slug"] for one in env.services()] == ["api"]
    assert service.update(deployment_timeout=30)["deployment_timeout"] == 30
    assert service.lock("a freeze")["lock_reason"] == "a freeze"
    assert service.unlock()["lock_reason"] is None
    assert project.pipeline_status()["services"][0]["service"] == "api"
    assert project.pipeline_metrics(env="live")["builds"]["total"] == 0
    assert list(project.pipeline_history()) == project.previews() == service.releases() == []
    with pytest.raises(ApiError) as refused:
        client.org(name).delete()
    assert refused.value.status == 409
    client.org(name).delete(cascade=True)
    with pytest.raises(ApiError) as gone:
        client.at(f"{name}/shop").get()
    assert gone.value.status == 404


def test_members_and_keys(client: Client, org: str) -> None:
    handle = client.org(org.removeprefix("/orgs/"))
    member = handle.add_member(email="ann@example.org", role="developer")
    assert handle.change_member("ann@example.org", "viewer")["role"] == "viewer"
    assert len(handle.members()) == 2
    handle.remove_member(member["id"])
    made = client.create_api_key(name="ci", scope="read", org=org.removeprefix("/orgs/"))
    assert made["id"] in [one["id"] for one in client.api_keys()]
    client.revoke_api_key(made["id"])
    with pytest.raises(ApiError) as refused:
        client.create_api_key(name="", scope="read")
    assert (refused.value.status, refused.value.errors[0]["field"]) == (422, "name")


def test_config(client: Client, env: str) -> None:
    level = client.env("/".join(env.split("/")[2::2]))
    assert level.set_config({"A": "1"}, secret=True)["created"] == ["A"]
    assert level.import_config("A=2\nB=3\n")["replaced"] == ["A"]
    assert level.change_config("B", value="4")["value"] == "4"
    level.unset_config("A")
    with pytest.raises(KeyError):
        level.unset_config("A")
    assert [(row["name"], row["value"]) for row in level.config()] == [("B", "4")]


async def test_asyncio_knows_the_same(aclient: AsyncClient, client: Client, app: App) -> None:
    mine, theirs = aclient.service(app.address), client.service(app.address)
    assert await mine.get() == theirs.get()
    assert await mine.set_config({"A": "1"}) == theirs.set_config({"A": "1"}) | {
        "created": ["A"], "unchanged": [],
    }  # fmt: skip
    await mine.unset_config("A")
    assert await aclient.whoami() == client.whoami()
    with pytest.raises(ApiError):
        await aclient.org("not-there").get()
    assert (await aclient.ready())["status"] == "ok"
    assert "barque_" in client.metrics()
    assert client.openapi()["openapi"] == "3.1.0"
    for name in dir(Service):
        assert getattr(Service, name).__doc__ or name.startswith("_"), name


async def test_pages_are_iterated(aclient: AsyncClient, client: Client, org: str) -> None:
    name = org.removeprefix("/orgs/")
    for number in range(4):
        client.org(name).set_config({f"A{number}": "1"})
    rows = client.org(name).audit(per_page=2)
    found = [next(rows)]
    # What is new pushes the others back: none is given twice for that.
    client.org(name).set_config({"LATE": "1"})
    found += rows
    assert len(found) == 5
    assert len({row["id"] for row in found}) == 5
    assert len([row async for row in aclient.org(name).audit(per_page=4)]) == 6


async def test_a_folder_is_uploaded(
    aclient: AsyncClient, client: Client, app: App, tmp_path: Path
) -> None:
    with pytest.raises(CannotPack):
        client.service(app.address).upload(tmp_path)
    (tmp_path / "README").write_text("nothing to build")
    answer = await aclient.service(app.address).upload(tmp_path)
    lines = [line async for line in aclient.service(app.address).follow_build(1)]
    assert "building the uploaded source" in lines[0]
    assert client.service(app.address).image(answer["version"])["status"] == "error"
    assert list(client.service(app.address).follow_build(1)) == lines
    assert client.service(app.address).build_log(1)["log_text"].splitlines() == lines


def test_what_is_started_is_started_once(app: App, server: Server, proxy: Proxy) -> None:
    app.commit({"README": "nothing to build"})
    with Client(proxy.url, server.key) as client:
        proxy.lose_answers(2)
        assert client.service(app.address).build()["version"] == 1
    assert proxy.lost == 2
    assert len(app.api.get(f"{app.path}/images").json()["items"]) == 1


def test_what_may_have_happened_is_not_asked_again(server: Server, proxy: Proxy, org: str) -> None:
    with Client(proxy.url, server.key) as client:
        handle = client.org(org.removeprefix("/orgs/"))
        proxy.lose_answers(1)
        with pytest.raises(Unreachable):
            handle.create_project(name="Shop")
        assert [one["slug"] for one in handle.projects()] == ["shop"]


async def test_reading_is_tried_again(server: Server, proxy: Proxy) -> None:
    proxy.lose_answers(3)
    async with AsyncClient(proxy.url, server.key) as client:
        assert (await client.whoami())["email"] == "admin@localhost"
    proxy.lose_answers(1)
    patient = Client(proxy.url, server.key, retries=Retries(attempts=0))
    with patient, pytest.raises(Unreachable):
        patient.whoami()


def test_nobody_is_there() -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    with Client(nowhere, "x", retries=Retries(attempts=1)) as client:
        with pytest.raises(Unreachable) as error:
            client.whoami()
        assert nowhere in str(error.value)
        with pytest.raises(Unreachable):
            list(client.service("a/b/c/d").follow_build(1))
    for address in ("a/b/c", "a//c/d", "a/b/c/d/e"):
        with pytest.raises(ValueError, match="write org/project/env/service"):
            client.service(address)


def a_log(app: App) -> list[str]:
    app.commit({"README": "nothing to build"})
    app.image(app.build())
    return app.log(1).splitlines()


async def test_a_stream_goes_on_after_its_connection_broke(
    server: Server, app: App, proxy: Proxy
) -> None:
    wanted = a_log(app)
    proxy.break_streams_after(bytes_of_events=110, times=2)
    with Client(proxy.url, server.key) as client:
        assert list(client.service(app.address).follow_build(1)) == wanted
    broken = proxy.broken
    assert broken
    proxy.break_streams_after(bytes_of_events=110, times=1)
    async with AsyncClient(proxy.url, server.key) as client:
        found = [line async for line in client.service(app.address).follow_build(1)]
    assert found == wanted
    assert proxy.broken == broken + 1


def test_a_stream_may_be_left(server: Server, app: App) -> None:
    wanted = a_log(app)
    with Client(server.url, server.key) as client:
        lines = client.service(app.address).follow_build(1)
        assert next(lines) == wanted[0]
        lines.close()
        assert client.whoami()


def test_the_types_are_told_apart(server: Server) -> None:
    blocking: Service[Blocking] = Client(server.url, "x").service("a/b/c/d")
    awaiting: Service[Awaiting] = AsyncClient(server.url, "x").service("a/b/c/d")
    assert isinstance(blocking.images(), Iterator)
    assert isinstance(awaiting.images(), AsyncIterator)
    assert httpx.URL(server.url).host == "127.0.0.1"
