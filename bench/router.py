"""Barque's router beside nginx, and the time of a switch among many services.

Throughput to one container over connections kept on both sides, beside a reverse proxy that was
written by hand for nginx (the bar: 0.9 of it); and the time to switch one service's upstream with
10,000 services configured, beside that with 10 (the bar: 1.2 times that). Run it with
`make bench-router`.
"""

import asyncio
import re
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from barque.routing.haproxy import HAProxyRouter
from barque.routing.port import RoutingTable, Server
from bench.harness import one_service
from bench.nginx import build_application, proxy
from tests.conftest import free_port
from tests.e2e.helpers import deploy, ended, host_of

ROUNDS = 24
SECONDS = 2
CLIENTS = 32
SWITCHES = 300
FEW, MANY = 10, 10_000


def main() -> None:
    throughput()
    asyncio.run(switches())


def throughput() -> None:
    with one_service() as (server, app), tempfile.TemporaryDirectory() as folder:
        build_application(app)
        deployment = deploy(app)
        assert ended(app, deployment)["status"] == "live"
        host = host_of(app)
        with proxy(f"{address_of(deployment)}:8000", Path(folder)) as port:
            rates = [measure(server.apps_port, host, port, n % 2 == 0) for n in range(ROUNDS)]
    print(f"small page over {CLIENTS} connections, {ROUNDS} rounds of {SECONDS} s in turn")
    for name, column in zip(("barque", "nginx"), zip(*rates, strict=True), strict=True):
        print(f"  {name:7} median {statistics.median(column):7.0f} requests/s, "
              f"min {min(column):.0f}, max {max(column):.0f}")  # fmt: skip
    ratios = [ours / theirs for ours, theirs in rates]
    print(f"  ratio of throughput, median of the rounds: {statistics.median(ratios):.2f}")


def address_of(deployment: str) -> str:
    label = f"label=barque.deployment_id={deployment}"
    listed = ["docker", "ps", "-q", "--filter", label]
    name = subprocess.run(listed, check=True, capture_output=True, text=True).stdout.strip()
    shape = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
    inspected = subprocess.run(
        ["docker", "inspect", "-f", shape, name], check=True, capture_output=True, text=True
    )
    return inspected.stdout.strip()


def measure(ours: int, host: str, theirs: int, first: bool) -> tuple[float, float]:
    """Return both rates; who is first changes, since a machine's speed wanders."""
    if first:
        return load(ours, host), load(theirs, "localhost")
    rate = load(theirs, "localhost")
    return load(ours, host), rate


def load(port: int, host: str) -> float:
    """Return requests per second."""
    command = ["wrk", "-t1", f"-c{CLIENTS}", f"-d{SECONDS}s", "-H", f"Host: {host}"]
    said = subprocess.run(
        [*command, f"http://127.0.0.1:{port}/"], check=True, capture_output=True, text=True
    ).stdout
    assert "Non-2xx" not in said, said
    assert "Socket errors" not in said, said
    found = re.search(r"Requests/sec:\s*([\d.]+)", said)
    assert found, said
    return float(found[1])


async def switches() -> None:
    with tempfile.TemporaryDirectory() as folder:
        routers = [await router_with(count, Path(folder) / str(count)) for count in (FEW, MANY)]
        times: list[list[float]] = [[], []]
        for number in range(SWITCHES + 20):
            for router, column in zip(routers, times, strict=True):
                took = await switch(router, number)
                if number >= 20:
                    column.append(took)
        for router in routers:
            await router.stop()
    medians = [statistics.median(column) for column in times]
    for count, median, column in zip((FEW, MANY), medians, times, strict=True):
        p95 = statistics.quantiles(column, n=20)[-1]
        print(f"switch among {count:6} services: median {median * 1000:.2f} ms, "
              f"p95 {p95 * 1000:.2f} ms")  # fmt: skip
    print(f"ratio of the medians, {SWITCHES} switches each in turn: {medians[1] / medians[0]:.2f}")


async def router_with(count: int, folder: Path) -> HAProxyRouter:
    router = HAProxyRouter(folder, "127.0.0.1", free_port())
    upstreams = {f"up-{n}": [Server("web-0", "127.0.0.1", 9)] for n in range(count)}
    routes = {f"s{n}.production.shop.acme.localhost": f"up-{n}" for n in range(count)}
    await router.start(RoutingTable(upstreams, routes))
    return router


async def switch(router: HAProxyRouter, number: int) -> float:
    """Do what a rollout does. Returns the seconds until the new upstream gets the requests."""
    old, new = (f"up-{5 if n == 0 else f'new-{n}'}" for n in (number, number + 1))
    begun = time.perf_counter()
    await router.put_upstream(new, [Server("web-0", "127.0.0.1", 9)])
    await router.point("s5.production.shop.acme.localhost", new)
    took = time.perf_counter() - begun
    await router.in_flight(old)
    await router.drop_upstream(old)
    return took


if __name__ == "__main__":
    main()
