"""Writes the generated parts of the clients in clients/ from the endpoints as they are declared."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from barque.app import endpoints
from barque.system.openapi import document

HERE = Path(__file__).parent.parent
TOOLS = HERE / ".venv" / "bin"
GO, TYPESCRIPT = HERE / "clients" / "go", HERE / "clients" / "typescript"
# The generator lives for seconds: what makes long runs of Java fast makes this one slow.
JAVA = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1"


def generate(into: Path) -> None:
    """Write `go/*.go` and `typescript/schema.ts` below a folder."""
    with tempfile.TemporaryDirectory() as folder:
        api = Path(folder) / "openapi.json"
        api.write_text(json.dumps(document(endpoints())))
        _go(api, into / "go")
        _typescript(api, into / "typescript" / "src" / "schema.ts")


def _go(api: Path, into: Path) -> None:
    # What is no longer described is not written over.
    for old in _generated(into):
        old.unlink()
    _run(
        TOOLS / "openapi-generator-cli", "generate", "--config", GO / "generator.yaml",
        "--template-dir", GO / "templates", "--input-spec", api, "--output", into,
    )  # fmt: skip
    _run(TOOLS / "go", "fmt", *_generated(into))


def _generated(folder: Path) -> list[Path]:
    return [*folder.glob("api_*.go"), *folder.glob("model_*.go")]


def _typescript(api: Path, into: Path) -> None:
    _run(
        TOOLS / "node", TYPESCRIPT / "node_modules/openapi-typescript/bin/cli.js", api,
        "--output", into, "--default-non-nullable=false", "--root-types",
        "--root-types-no-schema-prefix",
    )  # fmt: skip


def _run(*command: object) -> None:
    environment = {**os.environ, "JAVA_TOOL_OPTIONS": JAVA}
    done = subprocess.run(
        [str(word) for word in command], cwd=HERE, env=environment, check=False,
        capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode:
        sys.exit(done.stdout + done.stderr)


if __name__ == "__main__":
    generate(Path(sys.argv[1]) if sys.argv[1:] else HERE / "clients")
