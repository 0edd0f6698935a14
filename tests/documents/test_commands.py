"""Every command and program of the documents is run, in order, against one platform."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Server, free_port, reaching_registries
from tests.documents.blocks import ROOT, Step, agrees, blocks, steps, stray_commands
from tests.documents.preloaded import client
from tests.documents.shell import Shell, environment_of, write_program

# In the order in which somebody reads them; each may count on what those before it made.
PAGES = [
    ROOT / "README.md",
    *(ROOT / "docs" / f"{name}.md" for name in (
        "tutorial", "how-to/deploy-a-folder", "how-to/git-push", "how-to/config",
        "how-to/releases", "how-to/health-checks", "how-to/logs", "how-to/dashboard", "cli-guide",
        "building", "github", "webhooks", "operators",
    )),
]  # fmt: skip
GENERATED = {"docs/api.md", "docs/cli.md", "docs/settings.md"}
# What is in the blocks of a page: what is run, and what only shows what goes over the wire.
RUN, SHOWN = {"console", "python"}, {"http", "json"}
REASONS = {
    "it needs an image registry",
    "it needs GitHub",
    "it runs every test of Barque",
    "it needs systemd",
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder in which Barque was unpacked, as a reader has it, and the program on the path."""
    base = tmp_path_factory.mktemp("reader")
    (base / "barque").mkdir()
    for name in ("Makefile", "scripts", "src", ".venv", "requirements.lock", "pyproject.toml"):
        (base / "barque" / name).symlink_to(ROOT / name)
    # What is written there is not to be written to the sources.
    shutil.copytree(ROOT / "examples", base / "barque" / "examples")
    # A socket's path may have no more than 107 bytes.
    with tempfile.TemporaryDirectory() as short:
        serving = subprocess.Popen(
            [sys.executable, "-m", "tests.documents.preloaded", f"{short}/b"]
        )
        while not Path(f"{short}/b").exists():
            assert serving.poll() is None
            time.sleep(0.02)
        write_program(base / "bin" / "barque", client(f"{short}/b"))
        write_program(base / "bin" / "python", f'#!/bin/sh\nexec {sys.executable} "$@"\n')
        yield base
        serving.kill()
        serving.wait()


def test_every_command(home: Path) -> None:
    api, apps = free_port(), free_port()
    environment = {
        **environment_of(home / "home"), **reaching_registries(),
        "PATH": f"{home / 'bin'}:{os.environ['PATH']}", "BARQUE_URL": f"http://127.0.0.1:{api}",
        "BARQUE_PORT": str(api), "BARQUE_APPS_PORT": str(apps), "BARQUE_STOP_TIMEOUT": "0",
        "BARQUE_READINESS_DELAY": "0.1",
    }  # fmt: skip
    ports = {":8000": f":{api}", ":8080": f":{apps}"}
    wrong: list[str] = []
    try:
        for page in PAGES:
            shell = Shell(home / "barque", environment)
            try:
                for step in steps(page):
                    wrong += _try(shell, step, ports)
            finally:
                shell.close()
    finally:
        # It leaves nothing on the engine, which others use as well.
        Server(home / "barque" / ".barque", api).clear()
        down = ["make", "down"]
        subprocess.run(down, cwd=home / "barque", env=environment, check=True, capture_output=True)
    assert not wrong, "\n\n".join(wrong)


def _try(shell: Shell, step: Step, ports: dict[str, str]) -> list[str]:
    """Run a command, and return what is wrong with it."""
    command = step.command
    for documented, ours in ports.items():
        command = command.replace(documented, ours)
    code, printed = shell.run(command)
    where = f"{step.page}:{step.line}: {step.command}"
    if code != 0:
        return [f"{where}\nended with {code}:\n{printed}"]
    if step.prints and not agrees(printed, step.prints):
        return [f"{where}\nprinted:\n{printed}and not:\n" + "\n".join(step.prints)]
    return []


@pytest.mark.parametrize(
    "page",
    [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))],
    ids=lambda page: str(page.relative_to(ROOT)),
)
def test_no_command_is_left_out(page: Path) -> None:
    if str(page.relative_to(ROOT)) in GENERATED:
        return
    assert page in PAGES or not steps(page), "add the page to those that are run"
    assert {one.not_run for one in blocks(page)} - {None} <= REASONS
    assert {one.language for one in blocks(page)} <= RUN | SHOWN
    assert stray_commands(page) == []
