"""The program `barque` in a folder of its own, signed in to the real platform."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import App, Server
from tests.platforms import run_barque

Run = Callable[..., subprocess.CompletedProcess[str]]


def environment_in(folder: Path) -> dict[str, str]:
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("BARQUE_")}
    own = {"XDG_CONFIG_HOME": str(folder), "COLUMNS": "200"}
    # No test is to depend on how busy the machine is.
    return {**inherited, **own, "BARQUE_COMPLETION_TIMEOUT": "60"}


@pytest.fixture
def barque(server: Server, tmp_path: Path) -> Run:
    environment = environment_in(tmp_path)

    def run(*arguments: str, stdin: str = "", **more: str) -> subprocess.CompletedProcess[str]:
        return run_barque(arguments, {**environment, **more}, tmp_path, stdin)

    assert run("login", server.url, "--name", "here", stdin=server.key).returncode == 0
    return run


def said(done: subprocess.CompletedProcess[str]) -> Any:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def address_of(app: App) -> str:
    return "/".join(app.path.split("/")[2::2])
