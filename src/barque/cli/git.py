"""Commands for `git push`: the remote, and the key for it."""

import shlex
import subprocess
import sys
from typing import Annotated
from urllib.parse import urlsplit

import typer

from barque.cli.app import Group
from barque.cli.context import address_of, identity, service_at
from barque.cli.contexts import Contexts
from barque.cli.exits import fail
from barque.cli.output import told
from barque.cli.parameters import At

group = Group("Deploy by 'git push'.")


@group.add("remote")
def add_remote(
    name: Annotated[str, typer.Option(help="What the remote is called.")] = "barque", at: At = None
) -> None:
    """Add a service as a remote of this repository; the key is asked of 'barque' at each push."""
    address = address_of(at)
    service_at(address).get()
    base = identity().url.rstrip("/")
    url = f"{base}/git/{address.strip('/')}.git"
    known = _git("config", "--get", f"remote.{name}.url", check=False)
    if known and known != url:
        fail(f"the remote {name} is {known} already: give another name with --name")
    if not known:
        _git("remote", "add", name, url)
    # First none, so that no other helper is asked for the key, or stores it.
    helper = f"!{shlex.join([sys.executable, '-m', 'barque', 'git', 'credential'])}"
    setting = f"credential.{base}.helper"
    _git("config", "--replace-all", setting, "")
    _git("config", "--add", setting, helper)
    told(f"{name} is {url}\ndeploy with: git push {name} main", remote=name, url=url)


@group.command("credential")
def credential(
    operation: Annotated[str, typer.Argument(help="get, store or erase, as git says.")],
) -> None:
    """Tell git the key, for a platform that one is signed in to and for no other."""
    asked = dict(line.rstrip("\n").split("=", 1) for line in sys.stdin if "=" in line)
    if operation != "get":
        return
    for one in (identity(), *Contexts.load().contexts.values()):
        platform = urlsplit(one.url)
        if (asked.get("protocol"), asked.get("host")) == (platform.scheme, platform.netloc):
            typer.echo(f"username=barque\npassword={one.key}")
            return


def _git(*arguments: str, check: bool = True) -> str:
    done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)
    if check and done.returncode != 0:
        fail(f"git: {done.stderr.strip() or done.returncode}")
    return done.stdout.strip()


def add_to(app: Group) -> None:
    """Add the commands."""
    app.add_typer(group, name="git", rich_help_panel="Deploy")
