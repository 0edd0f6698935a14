"""The platform as a process of its own, without importing its libraries at each of many starts.

A process that has imported them is forked for each start: what it runs from there on is what
`python -m barque serve` runs.
"""

import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(["barque.cli.main", "barque.serve"])


class Process(Protocol):
    """What the tests do with a process; `subprocess.Popen` is one as well."""

    @property
    def pid(self) -> int: ...
    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def send_signal(self, sig: int) -> None: ...
    def kill(self) -> None: ...
    def terminate(self) -> None: ...


class Forked:
    """A program that runs as the module `program`, with these arguments and environment alone."""

    def __init__(
        self, program: str, arguments: Sequence[str], environment: Mapping[str, str]
    ) -> None:
        what = (program, [program, *arguments], dict(environment))
        self._process = _forks.Process(target=_run, args=what, daemon=True)
        self._process.start()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        code = self._process.exitcode
        assert code is not None, f"the process did not end in {timeout} s"
        return code

    def send_signal(self, sig: int) -> None:
        os.kill(self.pid, sig)

    def kill(self) -> None:
        self._process.kill()

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)


def run_barque(
    arguments: Sequence[str], environment: Mapping[str, str], folder: Path, stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run the program `barque` to its end, in a folder, with pipes for its input and outputs."""
    with tempfile.TemporaryDirectory() as pipes:
        streams = [Path(pipes) / name for name in ("in", "out", "err")]
        streams[0].write_text(stdin)
        what = (list(arguments), dict(environment), str(folder), list(map(str, streams)))
        process = _forks.Process(target=_run_captured, args=what, daemon=True)
        process.start()
        process.join(300)
        code = process.exitcode
        assert code is not None, f"{arguments} did not end"
        return subprocess.CompletedProcess(
            list(arguments), code, streams[1].read_text(), streams[2].read_text()
        )


def _run_captured(
    arguments: list[str], environment: dict[str, str], folder: str, streams: list[str]
) -> None:
    os.chdir(folder)
    os.dup2(os.open(streams[0], os.O_RDONLY), 0)
    sys.stdin = os.fdopen(0)
    for number, path in enumerate(streams[1:], start=1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), number)
    _run("barque", ["barque", *arguments], environment)


def _run(program: str, argv: list[str], environment: dict[str, str]) -> None:
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = argv
    runpy.run_module(program, run_name="__main__", alter_sys=True)
