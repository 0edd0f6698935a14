"""How the four levels of config become one: the nearest level wins.

Rules from the contract, "Resolved config". This module knows nothing of databases.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Scope = Literal["org", "project", "environment", "service"]
SCOPES: tuple[Scope, ...] = ("org", "project", "environment", "service")
_NEARNESS = {scope: rank for rank, scope in enumerate(SCOPES)}


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable at one level; a secret's `value` is its text here, and never shown."""

    name: str
    value: str
    secret: bool
    buildtime: bool
    scope: Scope


@dataclass(frozen=True, slots=True)
class Resolved:
    """A variable as a service sees it; `overrides` lists the levels it hides, nearest first."""

    variable: Variable
    overrides: tuple[Scope, ...]


def resolve(variables: Iterable[Variable]) -> list[Resolved]:
    """Merge variables of all levels, sorted by name; each (level, name) is given at most once."""
    by_name: dict[str, list[Variable]] = {}
    for variable in variables:
        by_name.setdefault(variable.name, []).append(variable)
    resolved = []
    for name in sorted(by_name):
        nearest, *hidden = sorted(by_name[name], key=lambda v: -_NEARNESS[v.scope])
        resolved.append(Resolved(nearest, tuple(variable.scope for variable in hidden)))
    return resolved
