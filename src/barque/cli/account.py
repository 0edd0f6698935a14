"""Commands about who is calling: login, logout, whoami; and the service of a folder."""

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from barque.cli.app import Group
from barque.cli.context import LINK, client
from barque.cli.contexts import Context, Contexts
from barque.cli.exits import NotSignedIn
from barque.cli.output import describe, hint, run, told
from barque.cli.parameters import AService
from barque.cli.secrets import secret
from barque.client import Client

PANEL = "This computer"
KeyFile = Annotated[Path | None, typer.Option(help="A file that holds the API key.")]
Url = Annotated[str, typer.Argument(help="Where the platform is: http://host:port.")]


def signed_in(name: str, url: str, key_file: Path | None) -> str:
    """Keep a platform and an API key as a context; returns whose key it is."""
    key = key_file.read_text().strip() if key_file else secret("API key")
    with Client(url, key) as there:
        email = there.whoami()["email"]
    known = Contexts.load()
    known.contexts[name] = Context(url, key)
    known.current = name
    known.save()
    return email


def login(
    url: Url,
    key_file: KeyFile = None,
    name: Annotated[str | None, typer.Option(help="What the context is called.")] = None,
) -> None:
    """Remember a platform and an API key, asked for unless it comes from a file or pipe."""
    chosen = name or run.context or urlsplit(url).netloc or url
    email = signed_in(chosen, url, key_file)
    if run.json:
        told("", context=chosen, url=url, email=email)
    else:
        hint(f"logged in to {url} as {email}")


def logout() -> None:
    """Forget the key of the present context."""
    known = Contexts.load()
    name = run.context or known.current
    if name is None:
        raise NotSignedIn("not signed in: no context is in use ('barque context list')")
    known.named(name)
    del known.contexts[name]
    known.current = None if known.current == name else known.current
    known.save()
    told(f"the key of {name} is forgotten here; 'barque keys revoke' ends it", context=name)


def whoami() -> None:
    """Show who is calling."""
    describe(client().whoami())


def link(where: AService) -> None:
    """Remember the service of this folder."""
    client().service(where).get()
    Path(LINK).write_text(f"{where}\n")
    told(f"this folder is {where} now", linked=where)


def add_to(app: Group) -> None:
    """Add the commands."""
    for command in (login, logout, whoami, link):
        app.add(command.__name__, PANEL)(command)
