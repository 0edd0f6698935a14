"""Commands for `git push`: the remote, and the key for it."""

import shlex
import subprocess
import sys
from typing import Annotated
from urllib.parse import urlsplit

import typer

from barque.cli.context import address_of, client, fail, identity, out
from barque.cli.service import At

git = typer.Typer(help="Deploy by 'git push'.")


@git.command("remote")
def add_remote(
    name: Annotated[str, typer.Option(help="What the remote is called.")] = "barque", at: At = None
) -> None:
    """Add a service as a remote of this repository; the key is asked of 'barque' at each push."""
    address = address_of(at)
    client().service(address).get()
    base = identity()[0].rstrip("/")
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
    out.print(f"{name} is {url}\ndeploy with: git push {name} main", markup=False, soft_wrap=True)


@git.command("credential")
def credential(
    operation: Annotated[str, typer.Argument(help="get, store or erase, as git says.")],
) -> None:
    """Tell git the key, for the platform that one is logged in to and for no other."""
    asked = dict(line.rstrip("\n").split("=", 1) for line in sys.stdin if "=" in line)
    if operation != "get":
        return
    url, key = identity()
    platform = urlsplit(url)
    if (asked.get("protocol"), asked.get("host")) == (platform.scheme, platform.netloc):
        typer.echo(f"username=barque\npassword={key}")


def _git(*arguments: str, check: bool = True) -> str:
    done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)
    if check and done.returncode != 0:
        fail(f"git: {done.stderr.strip() or done.returncode}")
    return done.stdout.strip()


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(git, name="git")
