"""What goes over the wire about config."""

import re

import msgspec
from msgspec import UNSET, UnsetType

from barque.errors import FieldError
from barque.fields import Moment

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
NAME_LIMIT = 255
VALUE_LIMIT = 64 * 1024


class NewVariable(msgspec.Struct, forbid_unknown_fields=True):
    """A variable to set."""

    name: str
    value: str
    secret: bool = False
    buildtime: bool = False


class ChangedVariable(msgspec.Struct, forbid_unknown_fields=True):
    """What changes of a variable; a secret stays one until it gets a new value."""

    value: str | UnsetType = UNSET
    secret: bool | UnsetType = UNSET
    buildtime: bool | UnsetType = UNSET


class Bulk(msgspec.Struct, forbid_unknown_fields=True):
    """Many variables at once: either `variables`, or dotenv text as `raw`."""

    variables: list[NewVariable] | None = None
    raw: str | None = None
    secret: bool = False
    buildtime: bool = False


class BulkAnswer(msgspec.Struct, frozen=True):
    """The names that were set, by what that did."""

    created: list[str]
    replaced: list[str]
    unchanged: list[str]


class VariableView(msgspec.Struct, frozen=True):
    """A variable of one level; a secret's value is always null."""

    id: str
    name: str
    value: str | None
    secret: bool
    buildtime: bool
    scope: str
    created: Moment
    updated: Moment


class ResolvedView(msgspec.Struct, frozen=True):
    """A variable as a service sees it: where it comes from, and which levels it hides."""

    name: str
    value: str | None
    secret: bool
    buildtime: bool
    scope: str
    overrides: list[str]


def complaints(variable: NewVariable, prefix: str = "") -> list[FieldError]:
    """Say what is wrong with a variable (contract: "Config"); never quotes its value."""
    wrong = []
    if not _NAME.fullmatch(variable.name) or len(variable.name) > NAME_LIMIT:
        said = f"must be letters, digits and _, no digit first, at most {NAME_LIMIT} characters"
        wrong.append(FieldError(f"{prefix}name", said))
    elif variable.name == "PORT" or variable.name.startswith("BARQUE_"):
        wrong.append(FieldError(f"{prefix}name", f"{variable.name} is set by the platform itself"))
    if len(variable.value.encode()) > VALUE_LIMIT:
        wrong.append(FieldError(f"{prefix}value", f"is over {VALUE_LIMIT // 1024} KiB"))
    elif "\0" in variable.value:
        wrong.append(FieldError(f"{prefix}value", "must not hold a null character"))
    return wrong
