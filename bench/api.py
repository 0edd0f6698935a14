"""`GET service` and `GET config/resolved` at 1,000 services, beside a bare handler.

The bare handler is of the same framework under the same server, and returns the same bytes. Run it
with `make bench-api`. The bar is 0.4 of its throughput.
"""

import asyncio
import multiprocessing
import statistics
import time

import httpx
import uvicorn
from litestar import Litestar, Response, get

from bench.harness import platform
from tests.conftest import free_port, make_env

SERVICES = 1000
CLIENTS = 16
SECONDS = 4.0
ROUNDS = 5


def main() -> None:
    with platform() as (server, client):
        env = make_env(client)
        for number in range(SERVICES):
            body = {"name": f"s{number}", "platform": "wind", "github_repository": "a/b"}
            client.post(f"{env}/services", json=body).raise_for_status()
        levels = [env.rsplit("/", cut)[0] for cut in (4, 2)] + [env, f"{env}/services/s500"]
        for level in levels:
            for number in range(5):
                client.post(
                    f"{level}/config", json={"name": f"V{number}_{len(level)}", "value": "x"}
                )
        for path in (f"{env}/services/s500", f"{env}/services/s500/config/resolved"):
            compare(server.port, f"/api/v1{path}", server.key, client.get(path).content)


def compare(port: int, path: str, key: str, body: bytes) -> None:
    bare_port = free_port()
    bare = multiprocessing.Process(target=serve_bare, args=(bare_port, body), daemon=True)
    bare.start()
    wait(bare_port)
    pairs = [
        (asyncio.run(load(port, path, key)), asyncio.run(load(bare_port, "/", key)))
        for _ in range(ROUNDS)
    ]
    bare.terminate()
    print(path.rpartition("/services/")[2], f"({len(body)} bytes)")
    rates = []
    for name, column in zip(("barque", "bare"), zip(*pairs, strict=True), strict=True):
        rates.append(statistics.median(rate for rate, _ in column))
        p99 = statistics.median(p99 for _, p99 in column)
        print(f"  {name:6} {rates[-1]:7.0f} requests/s, p99 {p99 * 1000:.1f} ms")
    print(f"  ratio of throughput, median of {ROUNDS} rounds: {rates[0] / rates[1]:.2f}")


def serve_bare(port: int, body: bytes) -> None:
    @get("/")
    async def answer() -> Response[bytes]:
        return Response(body, media_type="application/json")

    app = Litestar([answer], openapi_config=None)
    uvicorn.run(app, port=port, log_level="error", access_log=False)


def wait(port: int) -> None:
    while True:
        try:
            httpx.get(f"http://127.0.0.1:{port}/").raise_for_status()
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return


async def load(port: int, path: str, key: str) -> tuple[float, float]:
    """Ask over keep-alive connections. Returns requests per second, and the p99 in seconds."""
    asked = f"GET {path} HTTP/1.1\r\nHost: x\r\nX-API-Key: {key}\r\n\r\n".encode()
    end = time.perf_counter() + SECONDS
    times: list[float] = []

    async def client() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while (begun := time.perf_counter()) < end:
            writer.write(asked)
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            assert head.startswith(b"http/1.1 200"), head
            await reader.readexactly(int(head.partition(b"content-length: ")[2].split(b"\r\n")[0]))
            times.append(time.perf_counter() - begun)
        writer.close()

    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return len(times) / SECONDS, sorted(times)[int(len(times) * 0.99)]


if __name__ == "__main__":
    main()
