"""The real HAProxy, in front of small real servers."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from barque.routing.haproxy import HAProxyRouter
from barque.routing.port import RouterUnavailable, RoutingTable, Server
from tests.conftest import free_port


class Upstream:
    """Answers its name; a request for /slow waits for `go`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.go = asyncio.Event()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Server]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        yield Server(self.name, "127.0.0.1", server.sockets[0].getsockname()[1])
        server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                if b"/slow" in head:
                    await self.go.wait()
                body = self.name.encode()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


class Front:
    def __init__(self, folder: Path, slots: int) -> None:
        self.folder, self.port = folder, free_port()
        self.router = HAProxyRouter(folder, "127.0.0.1", self.port, slots)

    async def get(self, client: httpx.AsyncClient, host: str, path: str = "/") -> httpx.Response:
        url = f"http://127.0.0.1:{self.port}{path}"
        return await client.get(url, headers={"Host": host}, timeout=60)


@pytest.fixture
async def front(tmp_path: Path) -> AsyncIterator[Front]:
    front = Front(tmp_path / "router", 2)
    await front.router.start(RoutingTable())
    yield front
    await front.router.stop()


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient() as client:
        yield client


async def test_routes_by_host(front: Front, client: httpx.AsyncClient) -> None:
    async with Upstream("a").serving() as server:
        await front.router.put_upstream("one", [server])
        await front.router.point("a.example", "one")
        for host in ("a.example", "A.Example:8080"):
            assert (await front.get(client, host)).text == "a"
        assert (await front.get(client, "b.example")).status_code == 404
        await front.router.put_upstream("one", [])
        assert (await front.get(client, "a.example")).status_code == 503
        await front.router.unroute("a.example")
        assert (await front.get(client, "a.example")).status_code == 404


async def test_switches_and_running_out_of_slots_drop_nothing(front: Front) -> None:
    done = asyncio.Event()
    answers: list[int] = []

    async def load() -> None:
        async with httpx.AsyncClient() as client:
            while not done.is_set():
                answers.append((await front.get(client, "a.example")).status_code)

    async with Upstream("a").serving() as a, Upstream("b").serving() as b:
        await front.router.put_upstream("up0", [a])
        await front.router.point("a.example", "up0")
        loads = [asyncio.create_task(load()) for _ in range(8)]
        for number in range(1, 20):
            await front.router.put_upstream(f"up{number}", [b if number % 2 else a])
            await front.router.point("a.example", f"up{number}")
            if number % 3 == 0:
                while await front.router.in_flight(f"up{number - 1}"):
                    await asyncio.sleep(0.01)
                await front.router.drop_upstream(f"up{number - 1}")
        seen = len(answers)
        while len(answers) < seen + 50:
            await asyncio.sleep(0.01)
        done.set()
        await asyncio.gather(*loads)
    assert set(answers) == {200}


async def test_what_has_moved_is_found_before_and_after_it_is_settled(
    front: Front, client: httpx.AsyncClient
) -> None:
    async with Upstream("a").serving() as a, Upstream("b").serving() as b:
        for name, server in (("one", a), ("two", b)):
            await front.router.put_upstream(name, [server])
        for name in ("one", "two", "one", "two"):
            await front.router.point("a.example", name)
        assert (await front.get(client, "a.example")).text == "b"
        await front.router.drop_upstream("one")
        assert (await front.get(client, "a.example")).text == "b"
        await front.router.put_upstream("three", [a])
        await front.router.point("a.example", "three")
        assert (await front.get(client, "a.example")).text == "a"
        await front.router.unroute("a.example")
        assert (await front.get(client, "a.example")).status_code == 404


async def test_in_flight_counts_until_the_end(front: Front, client: httpx.AsyncClient) -> None:
    slow = Upstream("a")
    async with slow.serving() as server:
        await front.router.put_upstream("one", [server])
        await front.router.point("a.example", "one")
        request = asyncio.create_task(front.get(client, "a.example", "/slow"))
        while await front.router.in_flight("one") != 1:
            await asyncio.sleep(0.01)
        for number in range(4):
            await front.router.put_upstream(f"other{number}", [])
        assert await front.router.in_flight("one") == 1
        slow.go.set()
        assert (await request).text == "a"
        while await front.router.in_flight("one"):
            await asyncio.sleep(0.01)


async def test_adoption_and_revival(front: Front, client: httpx.AsyncClient) -> None:
    async with Upstream("a").serving() as server:
        table = RoutingTable({"one": [server]}, {"a.example": "one"})
        second = HAProxyRouter(front.folder, "127.0.0.1", front.port, 2)
        await second.start(table)
        assert (await front.get(client, "a.example")).text == "a"
        said = await second._tell("show proc", second._master)
        for line in said.splitlines():
            if line[:1].isdigit():
                os.kill(int(line.split()[0]), signal.SIGKILL)
        with pytest.raises(RouterUnavailable):
            for _ in range(1000):
                await second.ping()
                await asyncio.sleep(0.01)
        await second.start(table)
        assert (await front.get(client, "a.example")).text == "a"


async def test_a_taken_port_is_said(front: Front, tmp_path: Path) -> None:
    other = HAProxyRouter(tmp_path / "other", "127.0.0.1", front.port)
    with pytest.raises(RouterUnavailable, match="port"):
        await other.start(RoutingTable())


async def test_a_slot_is_fit_for_reuse_while_its_last_request_ends(
    front: Front, client: httpx.AsyncClient
) -> None:
    old = Upstream("web-0")
    async with old.serving() as server, Upstream("new").serving() as elsewhere:
        await front.router.put_upstream("one", [server])
        await front.router.point("a.example", "one")
        request = asyncio.create_task(front.get(client, "a.example", "/slow"))
        while await front.router.in_flight("one") != 1:
            await asyncio.sleep(0.01)
        await front.router.drop_upstream("one")
        for name in ("two", "three"):
            await front.router.put_upstream(name, [replace(elsewhere, name="web-0")])
            await front.router.point("a.example", name)
            assert await front.router.in_flight(name) == 0
            for _ in range(10):
                assert (await front.get(client, "a.example")).text == "new"
        old.go.set()
        assert (await request).text == "web-0"


async def test_a_server_that_moved_and_many_at_once(
    front: Front, client: httpx.AsyncClient
) -> None:
    async with Upstream("a").serving() as a, Upstream("b").serving() as b:
        group = [replace(a, name=f"web-{number}") for number in range(100)]
        await front.router.put_upstream("one", group)
        await front.router.point("a.example", "one")
        assert (await front.get(client, "a.example")).text == "a"
        moved = [replace(one, port=b.port, enabled=one.name != "web-7") for one in group]
        await front.router.put_upstream("one", moved)
        assert {(await front.get(client, "a.example")).text for _ in range(200)} == {"b"}
        await front.router.put_upstream("one", moved[:1])
        assert (await front.get(client, "a.example")).text == "b"


async def test_a_request_is_asked_again_where_that_is_safe(front: Front) -> None:
    asked: list[bytes] = []

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append((await reader.readuntil(b"\r\n\r\n")).split()[0])
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with Upstream("well").serving() as well, httpx.AsyncClient() as client:
        ill = Server("ill", "127.0.0.1", port)
        await front.router.put_upstream("one", [ill, well])
        await front.router.point("a.example", "one")
        answers = [(await front.get(client, "a.example")).text for _ in range(8)]
        assert set(answers) == {"well"}
        assert b"GET" in asked
        await front.router.put_upstream("one", [ill])
        url = f"http://127.0.0.1:{front.port}/"
        # Over a connection of its own: on one that was kept, the router hangs up, as a server does.
        async with httpx.AsyncClient() as fresh:
            said = await fresh.post(url, headers={"Host": "a.example"}, content=b"x")
        assert said.status_code == 502
        assert asked.count(b"POST") == 1
    server.close()
