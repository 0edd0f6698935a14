"""The shapes of the OpenAPI document as Python types, for the client."""

import inspect
import json
from collections.abc import Iterator
from typing import Any

_HEAD = '''"""What goes over the wire. Made by `scripts/reference.py` from the OpenAPI document."""

from typing import Any, Literal, NotRequired, TypedDict
'''
_PLAIN = {
    "string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None",
}  # fmt: skip


def typed_dicts(document: dict[str, Any]) -> str:
    """Render every shape as a `TypedDict`; pages, which the client turns, are left out."""
    schemas = {
        name: schema
        for name, schema in document["components"]["schemas"].items()
        if not name.startswith("Page_") and not name.endswith("Query")
    }
    return "\n\n".join([_HEAD, *(_class(name, schemas[name]) for name in _ordered(schemas))])


def _ordered(schemas: dict[str, Any]) -> Iterator[str]:
    """List the names, each after those that it is made of."""
    done: set[str] = set()

    def visit(name: str) -> Iterator[str]:
        if name in done or name not in schemas:
            return
        done.add(name)
        for part in sorted(_references(schemas[name])):
            yield from visit(part)
        yield name

    for name in sorted(schemas):
        yield from visit(name)


def _references(schema: Any) -> set[str]:
    if isinstance(schema, dict):
        found = set().union(*(_references(one) for one in schema.values()))
        return found | ({_name(schema)} if "$ref" in schema else set())
    if isinstance(schema, list):
        return set().union(*(_references(one) for one in schema))
    return set()


def _name(schema: dict[str, Any]) -> str:
    return str(schema["$ref"]).rpartition("/")[2]


def _class(name: str, schema: dict[str, Any]) -> str:
    required = schema.get("required", [])
    fields = []
    for field, shape in schema.get("properties", {}).items():
        kind = python_type(shape)
        fields.append(f"    {field}: {kind if field in required else f'NotRequired[{kind}]'}")
    said = inspect.cleandoc(schema.get("description", "")).replace("\n", "\n    ")
    end = "\n    " if "\n" in said else ""
    return "\n".join([f"class {name}(TypedDict):", f'    """{said}{end}"""', "", *fields, ""])


def python_type(schema: dict[str, Any]) -> str:
    """Say a schema as a type of Python."""
    if "$ref" in schema:
        return _name(schema)
    if "anyOf" in schema:
        return " | ".join(python_type(one) for one in schema["anyOf"])
    if "enum" in schema:
        return f"Literal[{', '.join(json.dumps(value) for value in schema['enum'])}]"
    if schema.get("type") == "array":
        return f"list[{python_type(schema.get('items', {}))}]"
    if schema.get("type") == "object":
        values = schema.get("additionalProperties")
        return f"dict[str, {python_type(values) if isinstance(values, dict) else 'Any'}]"
    return _PLAIN.get(str(schema.get("type")), "Any")
