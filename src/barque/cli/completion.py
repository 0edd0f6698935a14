"""What a shell completes: names of contexts, and addresses, asked of the platform."""

import os
from collections.abc import Callable

from barque.cli.context import client
from barque.cli.contexts import Contexts
from barque.client import Client, Retries

_PATIENCE = "1.5"


def contexts() -> list[str]:
    """List the contexts' names."""
    try:
        return sorted(Contexts.load().contexts)
    except Exception:
        return []


def children(known: Client, address: str) -> list[str]:
    """List the slugs of what an address holds; the organizations' for ""."""
    held: dict[int, Callable[[], list[str]]] = {
        0: lambda: [one["slug"] for one in known.orgs()],
        1: lambda: [one["slug"] for one in known.org(address).projects()],
        2: lambda: [one["slug"] for one in known.project(address).envs()],
        3: lambda: [one["slug"] for one in known.env(address).services()],
    }
    return held[address.count("/") + 1 if address else 0]()


def addresses(depth: int) -> Callable[[str], list[str]]:
    """Return what completes an address of so many parts, the next part at a time.

    What is not whole yet ends with a slash. A platform that is slow, or gone, completes nothing.
    """

    def complete(incomplete: str) -> list[str]:
        parent, slash, _ = incomplete.rpartition("/")
        present = incomplete.count("/") + 1
        if present > depth:
            return []
        try:
            patience = float(os.environ.get("BARQUE_COMPLETION_TIMEOUT", _PATIENCE))
            known = client(timeout=patience, retries=Retries(attempts=0, patience=0))
            slugs = children(known, parent)
        except Exception:
            # Whatever it is: a shell that is being typed into is no place for complaints.
            return []
        end = "/" if present < depth else ""
        whole = (f"{parent}{slash}{slug}{end}" for slug in sorted(slugs))
        return [one for one in whole if one.startswith(incomplete)]

    return complete
