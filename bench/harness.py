"""A platform of its own for each benchmark, and figures side by side."""

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.conftest import App, Server, free_port, make_app, make_env


@contextmanager
def platform() -> Iterator[tuple[Server, httpx.Client]]:
    """Start a platform on an empty data dir, and end it with all that it ran."""
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder) / "barque", free_port(), fresh=True)
        server.start()
        try:
            with server.client() as client:
                yield server, client
        finally:
            server.end()


@contextmanager
def one_service() -> Iterator[tuple[Server, App]]:
    """Start a platform with one service on it."""
    with platform() as (server, client):
        yield server, make_app(server, client, make_env(client))


def timed_build(app: App) -> float:
    """Build what is committed, and return the seconds until its log ends, as the build does."""
    begun = time.perf_counter()
    version = app.build()
    headers = {"Accept": "text/event-stream"}
    with app.api.stream("GET", f"{app.path}/images/{version}/log", headers=headers) as answer:
        answer.read()
    took = time.perf_counter() - begun
    assert app.image(version)["status"] == "built", app.log(version)
    return took


def alternate(ours: Callable[[], float], theirs: Callable[[], float], rounds: int) -> None:
    """Measure both in turn, once each beforehand, and print the ratio of the medians."""
    ours(), theirs()
    pairs = [(ours(), theirs()) for _ in range(rounds)]
    mine, bare = (sorted(column) for column in zip(*pairs, strict=True))
    for name, column in (("barque", mine), ("by hand", bare)):
        median = statistics.median(column)
        print(f"{name:8} min {column[0]:.3f} s, median {median:.3f} s, max {column[-1]:.3f} s")
    print(f"ratio of the medians, {rounds} rounds: "
          f"{statistics.median(mine) / statistics.median(bare):.2f}")  # fmt: skip
