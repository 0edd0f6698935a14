"""The shapes of the OpenAPI document: what bodies, queries and answers are made of."""

import inspect
import re
from typing import Any

import msgspec

from barque.errors import ErrorAnswer
from barque.http import Endpoint

REF = "#/components/schemas/{name}"
_PAGE = re.compile(r"Page_(\w+?)(?:View|Row)?_")

Schemas = dict[str, Any]


def shapes(endpoints: list[tuple[str, Endpoint]]) -> tuple[dict[Any, Any], Schemas]:
    """Return the schema of each type, and the components that these refer to."""
    types = {kind for _, e in endpoints for kind in (e.answer, e.body, e.query) if kind is not None}
    ordered = sorted(types, key=str)
    schemas, components = msgspec.json.schema_components([*ordered, ErrorAnswer], ref_template=REF)
    for schema in (*schemas, *components.values()):
        _refine(schema)
    named = {_PAGE.sub(r"\1Page", name): schema for name, schema in components.items()}
    for name, schema in named.items():
        schema["title"] = name
        schema["description"] = inspect.cleandoc(schema["description"])
    return dict(zip(ordered, schemas, strict=False)), named


def name_of(schema: Schemas) -> str:
    """Return the name of the component that a schema refers to."""
    return str(schema["$ref"]).rpartition("/")[2]


def _refine(part: Any) -> None:
    """Say, in place, what whoever makes a client of it would otherwise have to guess."""
    if isinstance(part, list):
        for one in part:
            _refine(one)
    if not isinstance(part, dict):
        return
    for one in part.values():
        _refine(one)
    if isinstance(part.get("$ref"), str):
        part["$ref"] = _PAGE.sub(r"\1Page", part["$ref"])
    elif isinstance(part.get("enum"), list):
        part["type"] = "string"
    elif part.get("type") == "integer":
        part["format"] = "int64"
    elif part.get("type") == "object" and "properties" not in part:
        part.setdefault("additionalProperties", True)
