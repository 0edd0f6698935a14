"""Writes what is made from the code: the references in docs/, and the shapes of the client."""

import subprocess
import sys
from pathlib import Path

import typer
from typer.cli import get_docs_for_click

from barque.app import endpoints
from barque.cli.main import program
from barque.system.docs import markdown
from barque.system.openapi import document
from barque.system.reference import settings
from barque.system.shapes import typed_dicts

HERE = Path(__file__).parent.parent
COMMON = (
    "* `--json`: Print JSON, for programs.\n",
    "* `--context <str>`: Act in this context ('barque context list').\n",
    "* `--help`: Show this message and exit.\n",
)


def generated() -> dict[Path, str]:
    """Return what each file is to hold."""
    described = document(endpoints())
    return {
        HERE / "docs" / "api.md": markdown(described),
        HERE / "docs" / "cli.md": commands(),
        HERE / "docs" / "settings.md": settings(),
        HERE / "src" / "barque" / "client" / "shapes.py": formatted(typed_dicts(described)),
    }


def commands() -> str:
    """Describe every command, from the program itself."""
    text = get_docs_for_click(obj=program, ctx=typer.Context(program), name="barque")
    head, first, rest = text.partition("\n## `barque ")
    # What every command takes is said once.
    for option in COMMON:
        rest = rest.replace(option, "")
    rest = rest.replace("**Options**:\n\n\n", "").replace("**Options**:\n\n#", "#")
    title = "# Commands\n\nThis page is made from the program itself; [the guide](cli-guide.md) "
    said = f"{title}says what all\ncommands have in common.\n"
    return said + head.partition("\n")[2] + first + rest.rstrip() + "\n"


def formatted(code: str) -> str:
    command = [sys.executable, "-m", "ruff", "format", "-", "--stdin-filename", "shapes.py"]
    done = subprocess.run(command, input=code, capture_output=True, text=True, check=True, cwd=HERE)
    return done.stdout


if __name__ == "__main__":
    for path, text in generated().items():
        path.write_text(text)
