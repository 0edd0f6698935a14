"""The guide to the command line knows every exit code; `tests/documents` runs its commands."""

from pathlib import Path

from barque.cli.exits import MEANINGS

ROOT = Path(__file__).parents[2]


def test_exit_codes_are_documented() -> None:
    guide = (ROOT / "docs" / "cli-guide.md").read_text()
    for code, meaning in MEANINGS.items():
        assert f"| {int(code)} | {meaning} |" in guide
