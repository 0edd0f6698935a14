"""Writes what is made from the code: docs/api.md, and the shapes of the client."""

import subprocess
import sys
from pathlib import Path

from barque.app import endpoints
from barque.system.docs import markdown
from barque.system.openapi import document
from barque.system.shapes import typed_dicts

HERE = Path(__file__).parent.parent


def generated() -> dict[Path, str]:
    """Return what each file is to hold."""
    described = document(endpoints())
    return {
        HERE / "docs" / "api.md": markdown(described),
        HERE / "src" / "barque" / "client" / "shapes.py": formatted(typed_dicts(described)),
    }


def formatted(code: str) -> str:
    command = [sys.executable, "-m", "ruff", "format", "-", "--stdin-filename", "shapes.py"]
    done = subprocess.run(command, input=code, capture_output=True, text=True, check=True, cwd=HERE)
    return done.stdout


if __name__ == "__main__":
    for path, text in generated().items():
        path.write_text(text)
