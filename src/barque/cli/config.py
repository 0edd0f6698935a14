"""Commands about config, at any of the four levels."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from barque.cli.app import Group
from barque.cli.context import address_of, client, service_at
from barque.cli.exits import Exit, fail
from barque.cli.output import cell, given, show, told
from barque.cli.parameters import At, AtLevel
from barque.cli.secrets import whole_input

group = Group("Show and set config, at any of the four levels.")
Secret = Annotated[bool, typer.Option("--secret", help="Never show the values again.")]
Buildtime = Annotated[bool, typer.Option("--buildtime", help="Offer them to builds, too.")]
HideOrNot = Annotated[
    bool | None, typer.Option("--secret/--shown", help="Whether it is never shown again.")
]
OfferOrNot = Annotated[
    bool | None, typer.Option("--buildtime/--no-buildtime", help="Whether builds get it, too.")
]
Pairs = Annotated[
    list[str], typer.Argument(metavar="NAME=VALUE", help="NAME=value ..., or NAME: asked for.")
]
_COLUMNS = ("name", "value", "secret", "buildtime")


@group.alone
@group.add("list")
def list_config(at: AtLevel = None) -> None:
    """List the config of one level."""
    empty = "no config at this level yet: 'barque config set NAME=value' sets some"
    show(client().at(address_of(at)).config(), _COLUMNS, empty)


@group.add("resolved")
def resolved(at: At = None) -> None:
    """Show the merged config of a service, and where each value comes from."""
    show(service_at(at).resolved_config(), (*_COLUMNS, "scope", "overrides"))


@group.add("get")
def get(name: Annotated[str, typer.Argument(help="NAME")], at: At = None) -> None:
    """Print the value of one variable, as the service sees it."""
    for row in service_at(at).resolved_config():
        if row["name"] == name:
            if row["value"] is None:
                fail(f"{name} is a secret: it is never shown")
            told(cell(row["value"]), **row)
            return
    fail(f"{name} is not set: 'barque config resolved' lists what is", Exit.NOT_FOUND)


@group.add("set")
def set_config(
    pairs: Pairs,
    at: AtLevel = None, secret: Secret = False, buildtime: Buildtime = False,
) -> None:  # fmt: skip
    """Set config variables, all or nothing.

    A NAME without a value is asked for, or read from a pipe. Secrets are set so alone: whoever
    lists processes, or reads your shell's history, sees arguments.
    """
    values = dict(pair.partition("=")[::2] for pair in pairs)
    bare = [pair for pair in pairs if "=" not in pair]
    if secret and len(bare) < len(pairs):
        name = next(pair for pair in pairs if "=" in pair).partition("=")[0]
        fail(
            f"others can see arguments: leave the value of {name} out, to be asked for it, or "
            f"pipe it in ('barque config set {name} --secret <file')", Exit.USAGE,
        )  # fmt: skip
    if len(bare) > 1 and not sys.stdin.isatty():
        fail("a pipe holds the value of one NAME: import the others from a file", Exit.USAGE)
    values |= {name: _asked_for(name) for name in bare}
    level = client().at(address_of(at))
    _show_changes(dict(level.set_config(values, secret=secret, buildtime=buildtime)))


def _asked_for(name: str) -> str:
    value = whole_input(name)
    if not value:
        fail(
            f"no value for {name} came: type it, pipe it in, or write {name}= for none", Exit.USAGE
        )
    return value


@group.add("import")
def import_config(
    file: Annotated[Path, typer.Argument(help="A dotenv file; - is a pipe.", allow_dash=True)],
    at: AtLevel = None, secret: Secret = False, buildtime: Buildtime = False,
) -> None:  # fmt: skip
    """Set config variables from a dotenv file, all or nothing."""
    text = sys.stdin.read() if str(file) == "-" else file.read_text()
    level = client().at(address_of(at))
    _show_changes(dict(level.import_config(text, secret=secret, buildtime=buildtime)))


def _show_changes(said: dict[str, object]) -> None:
    show(said, tuple(said))


@group.add("change")
def change(
    name: Annotated[str, typer.Argument(help="NAME")], at: AtLevel = None,
    secret: HideOrNot = None, buildtime: OfferOrNot = None,
) -> None:  # fmt: skip
    """Change what a variable is, and leave its value; a secret stays one until it is set anew."""
    level = client().at(address_of(at))
    try:
        show(level.change_config(name, **given(secret=secret, buildtime=buildtime)), _COLUMNS)
    except KeyError:
        _not_there(name)


@group.add("unset")
def unset(names: Annotated[list[str], typer.Argument(help="NAME ...")], at: AtLevel = None) -> None:
    """Delete config variables of one level."""
    level = client().at(address_of(at))
    for name in names:
        try:
            level.unset_config(name)
        except KeyError:
            _not_there(name)
    told(f"{' '.join(names)} unset: deploy to have it so", unset=names)


def _not_there(name: str) -> None:
    fail(f"{name} is not set there: 'barque config list' lists what is", Exit.NOT_FOUND)


def add_to(app: Group) -> None:
    """Add the commands."""
    app.add_typer(group, name="config", rich_help_panel="Configure")
