"""How groups and commands show their switches, and what they say of a command there is not."""

import re
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any, NoReturn

from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from barque.cli.exits import misuse

# What shows one thing, or the things that one holds: it was meant where that is named alone.
_SHOWING = ("list", "show", "get")
# More than these are no hint, and less alike is no slip of the fingers.
_FEW, _ALIKE = 3, 0.7
_LINE_END = re.compile(r"(?<!\n)\n(?!\n)")


def _without_types(parameters: list[Any]) -> list[Any]:
    """Have switches show no type: that they are on or off can be seen."""
    for one in parameters:
        if isinstance(one, TyperOption) and one.is_bool_flag:
            one.metavar = ""
    return parameters


class Command(TyperCommand):
    """A command."""

    def __init__(self, name: str | None, *, help: str | None = None, **options: Any) -> None:
        # Where lines end in the code says nothing about how wide a terminal is.
        super().__init__(name, help=_LINE_END.sub(" ", help or ""), **options)

    def get_params(self, ctx: Any) -> list[Any]:
        """List its options and arguments."""
        return _without_types(super().get_params(ctx))


class Commands(TyperGroup):
    """A group of commands."""

    def get_params(self, ctx: Any) -> list[Any]:
        """List its options."""
        return _without_types(super().get_params(ctx))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the command that is named; where there is none, say what was probably meant."""
        known = args[0] in self.commands or args[0].startswith("-")
        if not known and not ctx.resilient_parsing:
            no_such_command(ctx, args[0])
        return super().resolve_command(ctx, args)


def no_such_command(ctx: Any, word: str, beside: str = "") -> NoReturn:
    """End with what was probably meant by a word that is no command of a group.

    `beside` tells what else it could have been.
    """
    place, commands = ctx.command_path, getattr(ctx.command, "commands", {})
    said = f"there is no command '{place} {word}'"
    if meant := _meant(commands, word):
        said = f"{said}: did you mean {_choice([f'{place} {one}' for one in meant], 'or')}?"
    if ctx.parent is not None:
        said = f"{said}{'' if meant else ','} '{place}' has {_choice(list(commands), 'and')}"
    elif not meant:
        said = f"{said}: 'barque --help' lists what there is"
    misuse(said + beside)


def _meant(commands: dict[str, Any], word: str) -> list[str]:
    """Return what was probably meant, below the group."""
    if 0 < len(below := list(_below(commands, word))) <= _FEW:
        return below
    if close := get_close_matches(word, commands, _FEW, _ALIKE):
        return close
    shown = (name for name in _SHOWING if name in commands and _takes(commands[name], word))
    return [f"{name} {word}" for name in shown]


def _below(commands: dict[str, Any], word: str) -> Iterator[str]:
    """Find the commands of that name in the groups of a group."""
    for name, one in commands.items():
        if word in getattr(one, "commands", {}):
            yield f"{name} {word}"


def _takes(command: Any, word: str) -> bool:
    """Tell whether a word can be the first argument of a command."""
    first = next((one for one in command.params if isinstance(one, TyperArgument)), None)
    if first is None:
        return False
    if first.type_descriptor.annotation is int:
        return word.isdecimal()
    return first.metavar is None or first.metavar.count("/") == word.count("/")


def _choice(words: list[str], conjunction: str) -> str:
    """Write words as a sentence does: 'a', 'b' or 'c'."""
    *others, last = (f"'{one}'" for one in words)
    return f"{', '.join(others)} {conjunction} {last}" if others else last
