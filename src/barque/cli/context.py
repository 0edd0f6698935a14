"""Where a command acts, and as whom: contexts, linked folders, addresses."""

import os
from pathlib import Path

from barque.cli.contexts import Context, Contexts
from barque.cli.exits import Exit, NotSignedIn, fail
from barque.cli.output import hint, run
from barque.client import Blocking, Client, Env, Org, Project, Retries, Service

LINK = ".barque-link"
_DEFAULT_URL = "http://127.0.0.1:8000"


def identity() -> Context:
    """Return the platform and key to use. Raises `NotSignedIn`.

    A context that is named goes first, then the environment, then the current context; the key of
    a platform that is served from this folder comes last.
    """
    known = Contexts.load()
    if name := run.context or os.environ.get("BARQUE_CONTEXT"):
        return known.named(name)
    url, key = os.environ.get("BARQUE_URL"), os.environ.get("BARQUE_API_KEY")
    if known.current and not (url and key):
        kept = known.named(known.current)
        url, key = url or kept.url, key or kept.key
    admin = Path(os.environ.get("BARQUE_DATA_DIR", ".barque")) / "admin.key"
    if not key and admin.exists():
        key = admin.read_text().strip()
    if not key:
        raise NotSignedIn(
            "not signed in: run 'barque login URL', or set BARQUE_URL and BARQUE_API_KEY"
        )
    return Context(url or _DEFAULT_URL, key)


def client(*, timeout: float = 60, retries: Retries | None = None) -> Client:
    """Return the client of whoever is signed in."""
    who = identity()
    return Client(who.url, who.key, timeout=timeout, retries=retries, on_away=_show_absence)


def _show_absence(away: bool) -> None:
    """Tell whoever waits for what to wait for."""
    if away:
        hint("barque: the platform does not answer; waiting for it (up to 5 minutes)")
    else:
        hint("barque: the platform answers again")


def linked() -> str | None:
    """Return the service that this folder, or one above it, is linked to."""
    for folder in (Path.cwd(), *Path.cwd().parents):
        if (folder / LINK).is_file():
            return (folder / LINK).read_text().strip()
    return None


def command_for(service: Service[Blocking], command: str) -> str:
    """Return a command of a service as it is written in this folder, whatever it is linked to."""
    address = "/".join(service.path.split("/")[-7::2])
    return f"barque {command}" if address == linked() else f"barque {command} -s {address}"


def address_of(given: str | None, depth: int | None = None) -> str:
    """Return the address that was given, or the linked one, as far down as `depth`."""
    if given:
        return given.strip("/")
    address = linked()
    if address is None:
        fail(
            "which one? name it as org/project/env/service, as far as needed, or run "
            "'barque link org/project/env/service' here",
            Exit.USAGE,
        )
    return "/".join(address.split("/")[:depth])


def org_at(given: str | None) -> Org[Blocking]:
    """Return the organization that was given, or that of the linked service."""
    return client().org(address_of(given, 1))


def project_at(given: str | None) -> Project[Blocking]:
    """Return the project that was given, or that of the linked service."""
    return client().project(address_of(given, 2))


def env_at(given: str | None) -> Env[Blocking]:
    """Return the environment that was given, or that of the linked service."""
    return client().env(address_of(given, 3))


def service_at(given: str | None) -> Service[Blocking]:
    """Return the service that was given, or the linked one."""
    return client().service(address_of(given))
