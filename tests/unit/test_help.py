"""The help of every command: it comes, and shows all that it is to say."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from barque.cli.main import program

# What is drawn around a text, and what it is wrapped with.
_DRAWN = re.compile(r"[\s\u2500-\u257f]+")


def commands(command: Any = program, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Name the program, every group and every command."""
    yield path
    for name, one in getattr(command, "commands", {}).items():
        yield from commands(one, (*path, name))


def named(path: tuple[str, ...]) -> Any:
    command: Any = program
    for name in path:
        command = command.commands[name]
    return command


def plain(text: str) -> str:
    return _DRAWN.sub("", text)


@pytest.mark.parametrize("path", list(commands()), ids=" ".join)
def test_nothing_is_swallowed(
    path: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "1000")
    assert program.main([*path, "--help"], "barque", standalone_mode=False) == 0
    printed = capsys.readouterr().out
    command = named(path)
    context = typer.Context(command)
    texts = [command.help, *(one.help for one in command.get_params(context) if not one.hidden)]
    assert [one for one in texts if not one or plain(one) not in plain(printed)] == []
    # A switch has no value that would be of a type.
    assert "bool" not in printed
