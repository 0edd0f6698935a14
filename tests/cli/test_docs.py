"""The docs know no command that is not there, and every exit code."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from barque.cli.exits import MEANINGS
from barque.cli.main import program

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def commands(page: Path) -> Iterator[list[str]]:
    """List the commands of a page's code, as words."""
    for line in page.read_text().splitlines():
        if found := re.match(r"    (?:\$ )?barque (.+)", line):
            yield shlex.split(re.split(r"\s+[<|]", found[1])[0], comments=True)


def looked_up(words: list[str]) -> tuple[Any, list[str]]:
    """Return the command that words name, and the words that are left for it."""
    place: Any = program
    left = list(words)
    while left and left[0] in getattr(place, "commands", {}):
        place = place.commands[left.pop(0)]
    return place, left


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_documented_commands_are_there(page: Path) -> None:
    for words in commands(page):
        place, left = looked_up(words)
        named = left and not left[0].startswith("-")
        assert not (named and hasattr(place, "commands")), (page.name, words)
        known = {option for one in place.params for option in (*one.opts, *one.secondary_opts)}
        own = left[: ([*left, "--"]).index("--")]
        given = {word for word in own if re.match("-+[a-z]", word)}
        assert given - known - {"--help"} == set(), (page.name, words)


def test_exit_codes_are_documented() -> None:
    guide = (ROOT / "docs" / "cli-guide.md").read_text()
    for code, meaning in MEANINGS.items():
        assert f"| {int(code)} | {meaning} |" in guide
