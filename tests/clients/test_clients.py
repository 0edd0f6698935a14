"""The clients in other languages: current, sound in their own compilers, and good for real use."""

import os
import subprocess
import sys
from pathlib import Path

import httpx

from tests.conftest import Server

ROOT = Path(__file__).parents[2]
TOOLS = ROOT / ".venv" / "bin"
GO = ROOT / "clients" / "go"
TYPESCRIPT = ROOT / "clients" / "typescript"
# It needs no module but its own, no toolchain but the one that is there, and no compiler of C.
GO_ALONE = {"GOPROXY": "off", "GOTOOLCHAIN": "local", "CGO_ENABLED": "0"}


def run(folder: Path, *command: object, **environment: str) -> str:
    done = subprocess.run(
        [str(word) for word in command], cwd=folder, env={**os.environ, **environment},
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def generated(folder: Path) -> dict[str, str]:
    found = [*folder.glob("go/api_*.go"), *folder.glob("go/model_*.go")]
    found += folder.glob("typescript/src/schema.ts")
    return {str(path.relative_to(folder)): path.read_text() for path in found}


def test_what_is_generated_is_current(tmp_path: Path) -> None:
    run(ROOT, sys.executable, "scripts/clients.py", tmp_path)
    made, kept = generated(tmp_path), generated(ROOT / "clients")
    assert sorted(made) == sorted(kept), "run make clients"
    different = [name for name, text in made.items() if kept[name] != text]
    assert not different, "run make clients"


def test_the_go_client(server: Server, api: httpx.Client) -> None:
    run(
        GO, TOOLS / "go", "test", "-vet=all", "-count=1", "./...",
        BARQUE_URL=server.url, BARQUE_KEY=server.key, **GO_ALONE,
    )  # fmt: skip


def test_the_typescript_client(server: Server, api: httpx.Client) -> None:
    node, tsc = TOOLS / "node", TYPESCRIPT / "node_modules" / "typescript" / "bin" / "tsc"
    run(TYPESCRIPT, node, tsc)
    run(
        TYPESCRIPT, node, "--test", "test/smoke.test.ts",
        BARQUE_URL=server.url, BARQUE_KEY=server.key,
    )  # fmt: skip
