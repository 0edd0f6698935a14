"""Commands about contexts: several platforms, or several keys of one."""

import os
from typing import Annotated

import typer

from barque.cli.account import PANEL, KeyFile, Url, signed_in
from barque.cli.app import Group
from barque.cli.completion import contexts
from barque.cli.contexts import Contexts
from barque.cli.output import run, show, told

group = Group("Name the platforms that you use, and choose one.")
Name = Annotated[str, typer.Argument(help="What the context is called.", autocompletion=contexts)]


@group.alone
@group.add("list")
def list_contexts() -> None:
    """List the contexts; the one in use is marked."""
    known = Contexts.load()
    used = run.context or os.environ.get("BARQUE_CONTEXT") or known.current
    rows = [
        {"current": name == used, "name": name, "url": one.url}
        for name, one in sorted(known.contexts.items())
    ]
    show(rows, ("current", "name", "url"), "no contexts yet: sign in with 'barque login URL'")


@group.add("use")
def use(name: Name) -> None:
    """Use a context from now on."""
    known = Contexts.load()
    url = known.named(name).url
    known.current = name
    known.save()
    told(f"{name} ({url}) is used from now on", context=name, url=url)


@group.add("add")
def add(name: Name, url: Url, key_file: KeyFile = None) -> None:
    """Add a platform, and an API key for it, and use it from now on."""
    email = signed_in(name, url, key_file)
    told(f"{name} is {url} as {email}, and used from now on", context=name, url=url, email=email)


@group.add("remove")
def remove(name: Name) -> None:
    """Forget a context, with its key."""
    known = Contexts.load()
    known.named(name)
    del known.contexts[name]
    known.current = None if known.current == name else known.current
    known.save()
    told(f"{name} is forgotten", removed=name)


def add_to(app: Group) -> None:
    """Add the commands."""
    app.add_typer(group, name="context", rich_help_panel=PANEL)
