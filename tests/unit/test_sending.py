"""One attempt at a delivery, to a real receiver."""

import socket
import threading
from collections.abc import Iterator
from ipaddress import ip_network

import pytest

from barque.webhooks.sending import Outcome, Sender
from tests.receiver import Receiver, receiver

HERE = [ip_network("127.0.0.0/8"), ip_network("::1/128")]


@pytest.fixture
def hooked() -> Iterator[Receiver]:
    with receiver() as running:
        yield running


async def send(url: str, sender: Sender | None = None) -> Outcome:
    return await (sender or Sender(HERE, 10)).send(url, {"a": "b"}, b"{}")


async def test_what_is_well(hooked: Receiver) -> None:
    for host in ("127.0.0.1", "localhost"):
        assert await send(f"http://{host}:{hooked.port}/x?y=z") == Outcome(204)
        assert hooked.received[-1].path == "/x?y=z"
    assert (hooked.received[0].headers["a"], hooked.received[0].body) == ("b", b"{}")
    assert not {"cookie", "authorization"} & hooked.received[0].headers.keys()


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_redirects_are_not_followed(hooked: Receiver, status: int) -> None:
    hooked.answer = lambda _: status
    said = await send(hooked.url)
    assert said.status == status
    assert "redirect" in str(said.error)
    assert [one.path for one in hooked.received] == ["/hook"]


@pytest.mark.parametrize("status", [400, 404, 410, 500, 503])
async def test_other_answers_are_errors(hooked: Receiver, status: int) -> None:
    hooked.answer = lambda _: status
    assert await send(hooked.url) == Outcome(status, f"it answered {status}")


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "2130706433", "127.1", "[::ffff:7f00:1]"]
)
async def test_private_addresses_are_not_reached(hooked: Receiver, host: str) -> None:
    said = await send(f"http://{host}:{hooked.port}/", Sender([], 10))
    assert said.status is None
    assert said.error
    assert hooked.received == []


async def test_what_does_not_answer(hooked: Receiver) -> None:
    release = threading.Event()
    hooked.answer = lambda _: (release.wait(), 204)[1]
    try:
        assert await send(hooked.url, Sender(HERE, 0.2)) == Outcome(error="no answer within 0.2 s")
    finally:
        release.set()
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{closed.getsockname()[1]}/"
        assert "127.0.0.1" in str((await send(nobody)).error)
    assert (await send("http://nowhere.invalid/")).error
    # Plain HTTP where TLS is expected.
    assert (await send(hooked.url.replace("http", "https"))).error
