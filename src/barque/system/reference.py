"""The page of all settings, from their declaration."""

import types
import typing
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from barque.settings import Settings

_SETTINGS = """# Settings

Every setting of `barque serve`, from its environment. `--data-dir`, `--host`, `--port` and
`--apps-port` may be given as options as well. What is empty counts as not set.

| setting | kind | default | |
| --- | --- | --- | --- |
"""


def settings() -> str:
    """Describe every setting."""
    rows = (_row(name, field) for name, field in Settings.model_fields.items())
    return _SETTINGS + "".join(rows)


def _row(name: str, field: FieldInfo) -> str:
    variable = field.validation_alias or f"BARQUE_{name}".upper()
    cells = (f"`{variable}`", _kind(field.annotation), _default(field), field.description or "")
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def _default(field: FieldInfo) -> str:
    if field.default is None or field.default is PydanticUndefined:
        return ""
    return f"`{field.default}`"


_KINDS = {"Path": "path", "str": "text", "int": "whole number", "float": "number"}


def _kind(annotation: Any) -> str:
    if isinstance(annotation, types.UnionType):
        present = [one for one in typing.get_args(annotation) if one is not type(None)]
        return _kind(present[0])
    origin = typing.get_origin(annotation)
    if origin is typing.Literal:
        return ", ".join(f"`{one}`" for one in typing.get_args(annotation))
    if origin is not None:
        return "JSON"
    return _KINDS[annotation.__name__]
