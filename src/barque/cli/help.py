"""The command `help`: of a command, or of what all commands have in common."""

from typing import Annotated

import typer

from barque.cli.account import PANEL
from barque.cli.app import Group
from barque.cli.commands import no_such_command
from barque.cli.contexts import contexts_file
from barque.cli.exits import MEANINGS
from barque.cli.output import say, show


def about_exit_codes() -> None:
    """Show what each exit code means."""
    rows = [{"code": int(code), "meaning": meaning} for code, meaning in MEANINGS.items()]
    show(rows, ("code", "meaning"))


def about_json() -> None:
    """Tell what `--json` prints."""
    say(
        "With --json, what a command found or did is one JSON document on standard output: the\n"
        "answer of the API as 'barque openapi' describes it, a list where it lists.\n"
        "'logs --follow' prints one row a line, 'run' and 'exec' {exit_code, output, timed_out}.\n"
        "Progress goes to standard error, and so does an error, as one line:\n"
        '{"error": {"exit_code", "message", ...}}, with "status" and "errors" where the\n'
        "platform refused."
    )


def about_addresses() -> None:
    """Tell how things are named."""
    say(
        "A service is org/project/env/service, by slugs; so much of it names what holds it.\n"
        "'barque link' remembers the service of a folder; -s, -p, -o and --at name another."
    )


def about_environment() -> None:
    """Tell which files and variables are read."""
    say(
        f"{contexts_file()}\n    the contexts: platforms, keys, and which is used\n"
        ".barque-link\n    the service of this folder, or of one above it\n"
        "BARQUE_CONTEXT\n    the context to use, as --context\n"
        "BARQUE_URL, BARQUE_API_KEY\n    a platform and a key, instead of the current context's\n"
        "BARQUE_DATA_DIR\n    where 'barque serve' keeps everything, with the administrator's key\n"
        "BARQUE_COMPLETION_TIMEOUT\n    how many seconds completion waits for a platform (1.5)\n"
        "NO_COLOR, COLUMNS, TERM\n    how to print"
    )


_ABOUT = {
    "exit-codes": about_exit_codes, "json": about_json, "addresses": about_addresses,
    "environment": about_environment,
}  # fmt: skip


def help_(
    ctx: typer.Context,
    words: Annotated[list[str] | None, typer.Argument(help="A command, or a topic.")] = None,
) -> None:
    """Show the help of a command, or of a topic: exit-codes, json, addresses, environment."""
    if words and words[0] in _ABOUT:
        _ABOUT[words[0]]()
        return
    place = ctx.find_root()
    for word in words or []:
        commands = getattr(place.command, "commands", {})
        if word not in commands:
            topics = "" if place.parent else f" (and there are topics: {', '.join(_ABOUT)})"
            no_such_command(place, word, topics)
        place = typer.Context(commands[word], info_name=word, parent=place)
    typer.echo(place.get_help())


def add_to(app: Group) -> None:
    """Add the command."""
    app.add("help", PANEL)(help_)
