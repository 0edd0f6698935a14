"""What is told of a platform that is away while a stream of it is followed."""

import asyncio
import time
from collections.abc import Callable, Iterator

import httpx
import pytest

from barque.cli.context import client
from barque.client import AsyncClient, Client, connections

EVENT = b'id: %d\ndata: {"text": "%d"}\n\n'


def outage() -> Iterator[Callable[[], httpx.Response]]:
    """Return answer after answer: an event and a break, three rounds of attempts, the rest."""
    yield lambda: httpx.Response(200, content=EVENT % (1, 1))
    for _ in range(12):
        yield refuse
    yield lambda: httpx.Response(200, content=EVENT % (2, 2) + b"event: end\ndata: \n\n")


def refuse() -> httpx.Response:
    raise httpx.ConnectError("refused")


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make each connection one to a platform that is away for a while, where no time goes by."""
    at_once = asyncio.sleep
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    monkeypatch.setattr(asyncio, "sleep", lambda seconds: at_once(0))
    usual = connections._options

    def options(url: str, key: str, timeout: float) -> dict[str, object]:
        answers = outage()
        transport = httpx.MockTransport(lambda request: next(answers)())
        return {**usual(url, key, timeout), "transport": transport}

    monkeypatch.setattr(connections, "_options", options)


@pytest.mark.usefixtures("platform")
async def test_both_clients_tell_once() -> None:
    told: list[bool] = []
    with Client("http://x", "k", on_away=told.append) as blocking:
        assert list(blocking.service("a/b/c/d").follow_build(1)) == ["1", "2"]
    assert told == [True, False]
    async with AsyncClient("http://x", "k", on_away=told.append) as awaiting:
        found = [line async for line in awaiting.service("a/b/c/d").follow_build(1)]
    assert (found, told) == (["1", "2"], [True, False] * 2)


def test_it_says_what_it_waits_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BARQUE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("BARQUE_API_KEY", "x")
    monkeypatch.setenv("XDG_CONFIG_HOME", "/nonexistent")
    with client() as known:
        known.connection.on_away(True)
        known.connection.on_away(False)
    assert capsys.readouterr().err.splitlines() == [
        "barque: the platform does not answer; waiting for it (up to 5 minutes)",
        "barque: the platform answers again",
    ]
