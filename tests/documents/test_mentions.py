"""Every command that a text names in passing is one that the program has, with those options."""

import ast
import re
import shlex
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from barque.cli.main import program
from tests.documents.blocks import ROOT, blocks

# Where a sentence goes on after a command: a quotation ends, or a word of the shell's or of prose.
_MENTION = re.compile(r"(?:^|[`'\"(]|: |\bthen |&& |\$\()barque ([a-z-][^`'\"\n,;()|&]*)")
_ITS_OWN = re.compile(r"<[\w-]+>|\{\{.*?\}\}")
_CODE = re.compile(r"</?code>")
_ELSEWHERE = re.compile(r"  +|[<>](?=\S)")

PAGES = [
    one
    for one in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("clients/*.md"),
                *ROOT.glob("clients/*/README.md"), *(ROOT / "examples").rglob("*.md")]
    if one.name != "cli.md"
]  # fmt: skip
CODE = sorted((ROOT / "src" / "barque").rglob("*.py"))
TEMPLATES = sorted((ROOT / "src" / "barque").rglob("*.html"))


def mentions(text: str) -> Iterator[list[str]]:
    """Find what follows `barque` where that is the program, with `x` for what is left open."""
    for found in _MENTION.finditer(_ITS_OWN.sub("x", _CODE.sub("`", text))):
        yield shlex.split(_ELSEWHERE.split(found[1])[0], comments=True)


def wrong(words: list[str], command: Any = program) -> str | None:
    """Say what the program would not understand of a command, if anything."""
    context = typer.Context(command)
    try:
        _, rest, _ = command.make_parser(context).parse_args(list(words))
    except TyperException as error:
        said = str(error)
        # A text may leave open what an option is given.
        return wrong([*words, "x"], command) if said.endswith("requires an argument.") else said
    if not rest:
        return None
    below = command.get_command(context, rest[0]) if isinstance(command, TyperGroup) else None
    return wrong(rest[1:], below) if below else f"'{rest[0]}' is not known there"


def check(texts: Iterable[tuple[str, str]], least: int) -> None:
    found = [(where, words) for where, text in texts for words in mentions(text)]
    assert [f"{at}: {words}: {said}" for at, words in found if (said := wrong(words))] == []
    assert len(found) >= least, "commands are no longer found in the texts"


def test_pages() -> None:
    check(((str(page), page.read_text()) for page in PAGES), 55)


def test_commands_that_no_test_can_run() -> None:
    left_out = (
        (f"{block.page}:{block.line}", line.replace("$ ", "`"))
        for page in PAGES
        for block in blocks(page)
        if block.not_run
        for line in block.lines
    )
    check(left_out, 1)


def test_what_the_program_and_the_platform_say() -> None:
    check(((f"{file}:{line}", text) for file in CODE for line, text in strings(file)), 70)


def test_the_dashboard() -> None:
    check(((str(file), file.read_text()) for file in TEMPLATES), 2)


def strings(file: Path) -> Iterator[tuple[int, str]]:
    """Read the texts of a module as they are when it runs, with `X` for what is put into them."""
    inside: set[ast.AST] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.JoinedStr):
            inside |= set(node.values)
            parts = (one.value if isinstance(one, ast.Constant) else "X" for one in node.values)
            yield node.lineno, "".join(map(str, parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in inside:
            yield node.lineno, node.value


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("see 'barque deploi'", "'deploi' is not"),
        ("see `barque images logz 3`", "'logz' is not"),
        ("see 'barque deploy --folow'", "No such option"),
        ("see 'barque whoami me'", "'me' is not"),
        ("barque backup FILE, then barque service", "'service' is not"),
        ("<code>barque webhooks set <id> --inactiv</code>", "No such option"),
    ],
)
def test_what_is_none_is_found(text: str, said: str) -> None:
    (found,) = filter(None, map(wrong, mentions(text)))
    assert found.startswith(said)
