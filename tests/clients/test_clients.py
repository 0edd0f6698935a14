"""The clients in other languages: current, sound in their own compilers, and good for real use."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import httpx

from tests.conftest import Server
from tests.documents.blocks import blocks

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


def example(folder: Path, language: str) -> str:
    """Return the program that the README of a client shows."""
    [found] = [one for one in blocks(folder / "README.md") if one.language == language]
    return "\n".join(found.lines)


def test_the_example_in_go_compiles(tmp_path: Path) -> None:
    shown = example(GO, "go").replace("\n", "\n\t")
    (tmp_path / "main.go").write_text(
        'package main\n\nimport (\n\t"context"\n\t"os"\n\n\tbarque "barque/clients/go"\n)\n\n'
        f"func main() {{\n\tctx := context.Background()\n\t{shown}\n"
        "\t_, _, _, _ = service, deployed, page, err\n}\n"
    )
    (tmp_path / "go.mod").write_text("module example\n\ngo 1.24\n")
    version = "barque/clients/go@v0.1.0"
    take = ("-require", version, "-replace", f"{version}={GO}")
    run(tmp_path, TOOLS / "go", "mod", "edit", *take, **GO_ALONE)
    run(tmp_path, TOOLS / "go", "vet", ".", **GO_ALONE)


def test_the_example_in_typescript_compiles(tmp_path: Path) -> None:
    node, modules = TOOLS / "node", TYPESCRIPT / "node_modules"
    tsc = modules / "typescript" / "bin" / "tsc"
    package = tmp_path / "node_modules" / "barque-client"
    run(TYPESCRIPT, node, tsc, "--project", "tsconfig.build.json", "--outDir", package / "dist")
    shutil.copy(TYPESCRIPT / "package.json", package)
    for needed in ("openapi-fetch", "openapi-typescript-helpers", "@types", "undici-types"):
        (tmp_path / "node_modules" / needed).symlink_to(modules / needed)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "example.ts").write_text(example(TYPESCRIPT, "ts"))
    options = ("--strict", "--noEmit", "--module", "nodenext", "--target", "es2022")
    run(tmp_path, node, tsc, *options, "--types", "node", "--skipLibCheck", "example.ts")


def test_the_typescript_client(server: Server, api: httpx.Client) -> None:
    node, tsc = TOOLS / "node", TYPESCRIPT / "node_modules" / "typescript" / "bin" / "tsc"
    run(TYPESCRIPT, node, tsc)
    run(
        TYPESCRIPT, node, "--test", "test/smoke.test.ts",
        BARQUE_URL=server.url, BARQUE_KEY=server.key,
    )  # fmt: skip
