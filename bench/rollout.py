"""Requests at a fixed rate through the router, while the service is changed all the time.

50 deployments, 5 rollbacks, 10 scalings and 10 restarts happen under 500 requests a second (over
connections that are kept and over new ones, for small pages and slow ones). Run it with
`make bench-rollout`. The bars: no failed request, and a p99 of at most 1.5 times that without.
"""

import asyncio
import statistics
import time
from dataclasses import dataclass, field

from bench.harness import one_service
from tests.conftest import WEB, App
from tests.e2e.helpers import build, deploy, ended, host_of

RATE = 500
CALM = 15.0
PAUSE = 0.2
SLOW = "#!/bin/sh\nsleep 0.3\nprintf 'Content-Type: text/plain\\r\\n\\r\\nslow\\n'\n"
WEB_SH = "trap 'kill $!; exit 0' TERM\nhttpd -f -p $PORT -h /www &\nwait $!\n"
DOCKERFILE = (
    WEB["Dockerfile"].rpartition("CMD")[0]
    + "COPY slow /www/cgi-bin/slow\nRUN chmod +x /www/cgi-bin/slow\nCOPY web.sh /web.sh\n"
    + 'CMD ["sh", "/web.sh"]\n'
)


@dataclass
class Load:
    """What was asked and answered: the time of each request, and every failure."""

    port: int
    host: str
    times: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    _idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = field(default_factory=list)

    async def run(self, stop: asyncio.Event) -> None:
        """Begin a request every 1/RATE seconds, however long the earlier ones take."""
        begun, count, tasks = time.perf_counter(), 0, set()
        while not stop.is_set():
            due = begun + count / RATE
            if (wait := due - time.perf_counter()) > 0:
                await asyncio.sleep(wait)
            task = asyncio.create_task(self._one(count, due))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
            count += 1
        await asyncio.gather(*tasks)

    async def _one(self, number: int, due: float) -> None:
        slow, fresh = number % 25 == 0, number % 3 == 0
        path = "/cgi-bin/slow" if slow else "/"
        try:
            async with asyncio.timeout(30):
                await self._ask(path, fresh)
        except (OSError, EOFError, TimeoutError, AssertionError) as error:
            self.failures.append(f"{path} {'new' if fresh else 'kept'}: {error!r}")
        else:
            if not slow:
                self.times.append(time.perf_counter() - due)

    async def _ask(self, path: str, fresh: bool) -> None:
        if fresh or not self._idle:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        else:
            reader, writer = self._idle.pop()
        close = "Connection: close\r\n" if fresh else ""
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {self.host}\r\n{close}\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        assert head.startswith("http/1.1 200"), head.splitlines()[0]
        if "transfer-encoding: chunked" in head:
            while size := int((await reader.readline()).strip() or b"0", 16):
                await reader.readexactly(size + 2)
            await reader.readline()
        elif "content-length: " in head:
            await reader.readexactly(int(head.partition("content-length: ")[2].split("\r")[0]))
        else:
            await reader.read()
        if fresh or "connection: close" in head or "content-length: " not in head:
            writer.close()
        else:
            self._idle.append((reader, writer))


def main() -> None:
    with one_service() as (server, app):
        build(app, {"Dockerfile": DOCKERFILE, "slow": SLOW, "web.sh": WEB_SH})
        app.api.post(f"{app.path}/scale", json={"process_counts": {"web": 2}})
        assert ended(app, deploy(app))["status"] == "live"
        host = host_of(app)
        calm = asyncio.run(under_load(Load(server.apps_port, host), lambda: time.sleep(CALM)))
        busy = asyncio.run(under_load(Load(server.apps_port, host), lambda: change_all(app)))
    for name, load in (("calm", calm), ("changing", busy)):
        cuts = statistics.quantiles(load.times, n=100)
        total = len(load.times) + len(load.failures)
        print(
            f"{name:9} {total} small requests, p50 {cuts[49] * 1000:.1f} ms, "
            f"p99 {cuts[98] * 1000:.1f} ms, failed {len(load.failures)}"
        )
        for failure in load.failures[:10]:
            print(f"    {failure}")
    p99 = [statistics.quantiles(load.times, n=100)[98] for load in (calm, busy)]
    print(f"ratio of the p99: {p99[1] / p99[0]:.2f}")


async def under_load(load: Load, work) -> Load:  # type: ignore[no-untyped-def]
    stop = asyncio.Event()
    asking = asyncio.create_task(load.run(stop))
    await asyncio.to_thread(work)
    stop.set()
    await asking
    return load


def change_all(app: App) -> None:
    """Change the service 75 times, one change after the other."""
    for number in range(50):
        assert ended(app, deploy(app))["status"] == "live"
        if number % 10 == 9:
            assert ended(app, deploy(app, "rollback"))["status"] == "live"
        if number % 5 == 4:
            assert ended(app, deploy(app, "restart"))["status"] == "live"
            for count in (3, 2):
                counts = {"process_counts": {"web": count}}
                app.api.post(f"{app.path}/scale", json=counts)
                wait_for(app, count)
        time.sleep(PAUSE)


def wait_for(app: App, count: int) -> None:
    while len(app.api.get(f"{app.path}/processes").json()) != count:
        time.sleep(0.1)


if __name__ == "__main__":
    main()
