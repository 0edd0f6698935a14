"""The OpenAPI 3.1 document, made from the very declarations that make the routes."""

import re
from typing import Any

from barque import __version__
from barque.fields import LARGEST
from barque.http import Endpoint
from barque.system.components import REF, Schemas, name_of, shapes

_JSON = "application/json"
_BYTES = "application/octet-stream"
_EVENTS = "text/event-stream"
_MEANINGS = {
    200: "Done", 201: "Made", 202: "Accepted: the work goes on by itself", 204: "Done",
    503: "Something needed does not answer",
}  # fmt: skip
_ERRORS = {
    401: ("Unauthorized", "No API key, or a bad one"),
    403: ("Forbidden", "Known, but not allowed"),
    404: ("NotFound", "Not found"),
    409: ("Conflict", "Contradicts the present state"),
    413: ("TooLarge", "The body is too large"),
    422: ("Invalid", "Says something that cannot be: see `errors`"),
    429: ("TooMany", "Too many requests: wait as many seconds as `Retry-After` says"),
    503: ("Unavailable", _MEANINGS[503]),
}
_RETRY_AFTER = {
    "Retry-After": {
        "description": "Seconds to wait", "schema": {"type": "integer", "minimum": 1},
    }
}  # fmt: skip
_LATER = (429, 503)
_LEVELS = {"env": "environment", "svc": "service"}
_PARAMETERS = {
    "org": "The organization's slug or id", "project": "The project's slug or id",
    "env": "The environment's slug or id", "svc": "The service's slug or id",
    "version": "The version number", "base": "The version to compare with",
    "user": "The member's id or e-mail address",
    "key": "The API key's id", "config_id": "The config variable's id",
    "deployment": "The deployment's id", "webhook": "The webhook's id",
    "delivery": "The delivery's id", "credential": "The git credential's name or id",
}  # fmt: skip


def document(endpoints: list[tuple[str, Endpoint]]) -> dict[str, Any]:
    """Describe the endpoints, each given with its whole path."""
    known, components = shapes(endpoints)
    paths: dict[str, Any] = {}
    for path, endpoint in endpoints:
        operation = _operation(path, endpoint, known, components)
        paths.setdefault(path, {})[endpoint.method.lower()] = operation
    queries = {name_of(known[e.query]) for _, e in endpoints if e.query is not None}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Barque", "version": __version__,
            "description": "A self-hosted platform as a service: a deploy you can trust.",
        },
        "paths": dict(sorted(paths.items())),
        "components": {
            # The fields of a query are parameters, and what has no fields need not be sent.
            "schemas": {
                name: schema for name, schema in components.items()
                if schema["properties"] and name not in queries
            },
            "responses": _errors(),
            "securitySchemes": {
                "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
                "bearer": {"type": "http", "scheme": "bearer"},
            },
        },
        "security": [{"key": []}, {"bearer": []}],
    }  # fmt: skip


def _operation(
    path: str, endpoint: Endpoint, known: dict[Any, Any], components: Schemas
) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": _operation_id(path, endpoint),
        "summary": endpoint.summary,
        "tags": [endpoint.handler.__module__.split(".")[1]],
        "parameters": _parameters(path, endpoint, known, components),
        "responses": _responses(path, endpoint, known),
    }
    if description := _description(endpoint, known, components):
        operation["description"] = description
    if endpoint.body is not None:
        content = {_JSON: {"schema": known[endpoint.body]}}
        schema = components[name_of(known[endpoint.body])]
        if schema["properties"]:
            operation["requestBody"] = {"required": bool(schema["required"]), "content": content}
    if endpoint.upload:
        content = {_BYTES: {"schema": {"type": "string", "contentMediaType": _BYTES}}}
        operation["requestBody"] = {"required": True, "content": content}
    if endpoint.public:
        operation["security"] = []
    return operation


def _description(endpoint: Endpoint, known: dict[Any, Any], components: Schemas) -> str:
    """Say more than the summary does, also about what can be asked for."""
    parts = [endpoint.details]
    if endpoint.query is not None:
        parts.append(components[name_of(known[endpoint.query])]["description"])
    return "\n\n".join(filter(None, parts))


def _operation_id(path: str, endpoint: Endpoint) -> str:
    """Name an operation as its function is; config's serve four levels, and say which."""
    name = endpoint.handler.__name__
    if levels := re.findall(r"\{(org|project|env|svc)\}", path):
        name = name.replace("_config", f"_{_LEVELS.get(levels[-1], levels[-1])}_config")
    first, *rest = name.split("_")
    return first + "".join(map(str.capitalize, rest))


def _parameters(
    path: str, endpoint: Endpoint, known: dict[Any, Any], components: Schemas
) -> list[dict[str, Any]]:
    found = [_path_parameter(name) for name in re.findall(r"\{(\w+)\}", path)]
    if endpoint.query is not None:
        schema = components[name_of(known[endpoint.query])]
        required = schema.get("required", [])
        found += [
            {"name": name, "in": "query", "required": name in required, "schema": _plain(shape)}
            for name, shape in schema["properties"].items()
        ]
    if endpoint.once:
        found.append(_header("Idempotency-Key", {"type": "string", "pattern": "^[!-~]{1,255}$"}))
    if endpoint.events:
        found.append(_header("Last-Event-ID", {"type": "string", "pattern": "^[0-9]{1,15}$"}))
    return found


def _plain(shape: dict[str, Any]) -> dict[str, Any]:
    """Leave null out: a query parameter that is not given is not there."""
    options = [one for one in shape.get("anyOf", []) if one.get("type") != "null"]
    if len(options) != 1:
        return shape
    return {**{k: v for k, v in shape.items() if k not in ("anyOf", "default")}, **options[0]}


def _path_parameter(name: str) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string", "minLength": 1}
    if name in ("version", "base"):
        schema = {"type": "integer", "format": "int64", "minimum": 1, "maximum": LARGEST}
    return {
        "name": name, "in": "path", "required": True, "schema": schema,
        "description": _PARAMETERS[name],
    }  # fmt: skip


def _header(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": False, "schema": schema}


def statuses(path: str, endpoint: Endpoint) -> list[int]:
    """List every status that an endpoint may answer with."""
    found = {endpoint.status, *endpoint.also, *endpoint.errors}
    if not endpoint.public:
        found |= {401, 429, 503}
    if "{" in path:
        found.add(404)
    if endpoint.role not in (None, "viewer"):
        found.add(403)
    if endpoint.body is not None or endpoint.upload:
        found |= {413, 422}
    if endpoint.query is not None or endpoint.events:
        found.add(422)
    if endpoint.once:
        found |= {409, 422}
    return sorted(found)


def _responses(path: str, endpoint: Endpoint, known: dict[Any, Any]) -> dict[str, Any]:
    responses: dict[str, Any] = {}
    for status in statuses(path, endpoint):
        if status not in (endpoint.status, *endpoint.also):
            responses[str(status)] = {"$ref": f"#/components/responses/{_ERRORS[status][0]}"}
            continue
        responses[str(status)] = {"description": _MEANINGS[status]}
        if status != 204:
            responses[str(status)]["content"] = _content(endpoint, known)
    return responses


def _errors() -> dict[str, Any]:
    """Describe each error once, for whichever operation may end in it."""
    content = {_JSON: {"schema": {"$ref": REF.format(name="ErrorAnswer")}}}
    found: dict[str, Any] = {}
    for status, (name, meaning) in _ERRORS.items():
        found[name] = {"description": meaning, "content": content}
        if status in _LATER:
            found[name]["headers"] = _RETRY_AFTER
    return found


def _content(endpoint: Endpoint, known: dict[Any, Any]) -> dict[str, Any]:
    media = endpoint.media.partition(";")[0]
    shape = known[endpoint.answer] if endpoint.answer is not None else {"type": "string"}
    if media == _JSON and endpoint.answer is None:
        shape = {"type": "object"}
    content = {media: {"schema": shape}}
    if endpoint.events:
        content[_EVENTS] = {"schema": {"type": "string"}}
    return content
