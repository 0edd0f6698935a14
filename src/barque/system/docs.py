"""The API reference, as a page to browse and as Markdown, from the OpenAPI document."""

import re
from typing import Any

from jinja2 import Environment, PackageLoader, select_autoescape

_TEMPLATES = Environment(
    loader=PackageLoader("barque.system"), autoescape=select_autoescape(["html"]),
    trim_blocks=True, lstrip_blocks=True,
)  # fmt: skip


def page(document: dict[str, Any]) -> bytes:
    """Render the reference as HTML, which needs nothing from anywhere else."""
    return _render("docs.html", document).encode()


def markdown(document: dict[str, Any]) -> str:
    """Render the reference as Markdown."""
    return re.sub(r"\n{3,}", "\n\n", _render("docs.md", document)).strip() + "\n"


def _render(template: str, document: dict[str, Any]) -> str:
    groups: dict[str, list[dict[str, Any]]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            answers = {s: _resolved(document, one) for s, one in operation["responses"].items()}
            row = {**operation, "path": path, "method": method.upper(), "responses": answers}
            groups.setdefault(operation["tags"][0], []).append(row)
    return _TEMPLATES.get_template(template).render(
        info=document["info"], groups=dict(sorted(groups.items())), shape=shape_of,
        schemas=document["components"]["schemas"],
    )  # fmt: skip


def _resolved(document: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    """Return an answer itself, where it is named."""
    if "$ref" not in answer:
        return answer
    found: dict[str, Any] = document["components"]["responses"][shape_of(answer)]
    return found


def shape_of(schema: dict[str, Any]) -> str:
    """Say a schema in a few words: `string`, `Array<ServiceRow>`, `integer or null`."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " or ".join(shape_of(one) for one in schema["anyOf"])
    if schema.get("type") == "array":
        return f"Array<{shape_of(schema.get('items', {}))}>"
    if "enum" in schema:
        return " or ".join(f'"{value}"' for value in schema["enum"])
    if schema.get("type") == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"Map<{shape_of(schema['additionalProperties'])}>"
    return str(schema.get("type", "any"))
