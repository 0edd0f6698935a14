"""Requests at a fixed rate, however long their answers take, from a process of its own.

A request's time counts from when it was due, so that one that has to wait for its turn is not
taken for a fast one. The process goes before others, since real visitors are on other machines
and do not share these processors.
"""

import asyncio
import contextlib
import gc
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import uvloop

RATE = 500
_PATIENCE = 30


@dataclass
class Figures:
    """What came of the load: the seconds that each small request took, and every failure."""

    times: list[float] = field(default_factory=list)
    slow: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        return len(self.times) + len(self.slow) + len(self.failures)

    def quantile(self, share: float) -> float:
        return statistics.quantiles(self.times, n=1000)[round(share * 1000) - 1]


@contextmanager
def load(
    port: int, hosts: Sequence[str], slow: str = "/slow", rate: int = RATE
) -> Iterator[Figures]:
    """Ask the hosts in turn for small pages and slow ones; the figures are complete afterwards."""
    figures = Figures()
    command = [sys.executable, "-m", "tests.load", str(port), ",".join(hosts), slow, str(rate)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    try:
        yield figures
    finally:
        said, _ = process.communicate(b"stop\n")
        figures.times, figures.slow, figures.failures = json.loads(said)


def main() -> None:
    """Ask until a line comes on standard input, and print what came of it."""
    port, hosts, slow, rate = sys.argv[1:]
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    visitors = _Visitors(int(port), hosts.split(","), slow, int(rate))
    gc.disable()
    uvloop.run(visitors.run())
    # Not by print: what is not buffered may be written in part only.
    with os.fdopen(os.dup(sys.stdout.fileno()), "w") as out:
        json.dump([visitors.times, visitors.slow_times, visitors.failures], out)


class _Visitors:
    def __init__(self, port: int, hosts: Sequence[str], slow: str, rate: int) -> None:
        self.port, self.hosts, self.slow, self.rate = port, hosts, slow, rate
        self.times: list[float] = []
        self.slow_times: list[float] = []
        self.failures: list[str] = []
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def run(self) -> None:
        stop = asyncio.Event()
        asyncio.get_running_loop().add_reader(sys.stdin, stop.set)
        print("ready", flush=True)
        tasks: set[asyncio.Task[None]] = set()
        begun, count = time.perf_counter(), 0
        while not stop.is_set():
            due = begun + count / self.rate
            if (wait := due - time.perf_counter()) > 0:
                await asyncio.sleep(wait)
            task = asyncio.create_task(self._one(count, due))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
            count += 1
        await asyncio.gather(*tasks)

    async def _one(self, number: int, due: float) -> None:
        slow, fresh = number % 25 == 0, number % 3 == 0
        path = self.slow if slow else "/"
        host = self.hosts[(number + number // 25) % len(self.hosts)]
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._ask(host, path, fresh)
        except (OSError, EOFError, TimeoutError, AssertionError) as error:
            self.failures.append(f"{path} {'new' if fresh else 'kept'}: {error!r}")
        else:
            (self.slow_times if slow else self.times).append(time.perf_counter() - due)

    async def _ask(self, host: str, path: str, fresh: bool) -> None:
        if fresh or not self._idle:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        else:
            reader, writer = self._idle.pop()
        close = "Connection: close\r\n" if fresh else ""
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n{close}\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        assert head.startswith("http/1.1 200"), head.splitlines()[0]
        assert "content-length: " in head, head
        await reader.readexactly(int(head.partition("content-length: ")[2].split("\r")[0]))
        if fresh or "connection: close" in head:
            writer.close()
        else:
            self._idle.append((reader, writer))


if __name__ == "__main__":
    main()
