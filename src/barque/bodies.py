"""Requests decoded strictly: an unknown field is an error that names it."""

import re
from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec

from barque.errors import FieldError, Invalid

T = TypeVar("T")

_AT = re.compile(r"^(?P<message>.*) - at `(?P<path>[^`]*)`$", re.DOTALL)
_UNKNOWN = re.compile(r"^Object contains unknown field `(?P<name>.*)`$", re.DOTALL)
_MISSING = re.compile(r"^Object missing required field `(?P<name>.*)`$", re.DOTALL)
# What msgspec says in terms of Python, in terms of who wrote the request.
_SAID_AS = (
    (re.compile(r"^Expected `datetime` with a timezone component$"),
     "must have a time zone: end it with Z"),
    (re.compile(r"^Invalid RFC3339 encoded datetime$"),
     "must be a moment, as 2026-11-24T16:00:00Z"),
    (re.compile(r"^Expected `int` <= (\d+)$"), r"must be at most \1"),
    (re.compile(r"^Expected `int` >= (\d+)$"), r"must be at least \1"),
    (re.compile(r"^Expected `str` of length >= 1$"), "must not be empty"),
    (re.compile(r"^Expected `str` of length <= (\d+)$"), r"must have at most \1 characters"),
    (re.compile(r"^Expected `str` matching regex (.*)$"), r"must match \1"),
    (re.compile(r"^Invalid enum value (.*)$"), r"cannot be \1"),
)  # fmt: skip


def decode(body: bytes, kind: type[T]) -> T:
    """Decode a JSON body as `kind`. Raises `Invalid`; an empty body counts as `{}`."""
    try:
        value = msgspec.json.decode(body or b"{}", type=kind)
    except msgspec.ValidationError as error:
        raise Invalid(field_error(str(error), _fields(kind))) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Invalid.field("body", f"is not valid JSON: {error}") from None
    except RecursionError:
        raise Invalid.field("body", "is nested too deeply") from None
    if b"\\u0000" in body:
        _refuse_nulls(msgspec.to_builtins(value))
    return value


def convert(values: dict[str, str], kind: type[T]) -> T:
    """Read query parameters as `kind`, numbers and booleans from their text. Raises `Invalid`."""
    _refuse_nulls(values)
    try:
        return msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as error:
        raise Invalid(field_error(str(error), _fields(kind))) from None


def _refuse_nulls(value: Any, path: str = "") -> None:
    """Raise `Invalid` for a text with a null character, which not every database takes."""
    if isinstance(value, str) and "\0" in value:
        raise Invalid.field(path or "body", "must not hold a null character")
    if isinstance(value, dict):
        for name, one in value.items():
            _refuse_nulls(one, _join(path, name))
    elif isinstance(value, list):
        for index, one in enumerate(value):
            _refuse_nulls(one, f"{path}[{index}]")


def _fields(kind: type[Any]) -> Sequence[str]:
    return getattr(kind, "__struct_encode_fields__", ())


def field_error(complaint: str, fields: Sequence[str] = ()) -> FieldError:
    """Turn msgspec's sentence into a field and a message; `fields` are those of the request."""
    path, message = "", complaint
    if at := _AT.match(complaint):
        path, message = at["path"].removeprefix("$").lstrip("."), at["message"]
    if unknown := _UNKNOWN.match(message):
        known = f", which has {', '.join(fields)}" if fields and not path else ""
        said = f"is not a field of this request{known}"
        return FieldError(_join(path, unknown["name"]), said)
    if missing := _MISSING.match(message):
        return FieldError(_join(path, missing["name"]), "is required")
    for pattern, said in _SAID_AS:
        message = pattern.sub(said, message)
    return FieldError(path or "body", message[:1].lower() + message[1:])


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def check(**complaints: str | None) -> None:
    """Raise `Invalid` for every field with a complaint."""
    errors = [FieldError(field, text) for field, text in complaints.items() if text]
    if errors:
        raise Invalid(*errors)


def given(patch: msgspec.Struct) -> dict[str, Any]:
    """Return the fields that a PATCH body really named."""
    values = {name: getattr(patch, name) for name in patch.__struct_fields__}
    return {name: value for name, value in values.items() if value is not msgspec.UNSET}
