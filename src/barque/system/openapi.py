"""The OpenAPI 3.1 document, made from the very declarations that make the routes."""

import re
from typing import Any

import msgspec

from barque import __version__
from barque.errors import ErrorAnswer
from barque.http import Endpoint

_REF = "#/components/schemas/{name}"
_JSON = "application/json"
_BYTES = "application/octet-stream"
_EVENTS = "text/event-stream"
_MEANINGS = {
    200: "Done", 201: "Made", 202: "Accepted: the work goes on by itself", 204: "Done",
    401: "No API key, or a bad one", 403: "Known, but not allowed", 404: "Not found",
    409: "Contradicts the present state", 413: "The body is too large",
    422: "Says something that cannot be: see `errors`",
    429: "Too many requests: wait as many seconds as `Retry-After` says",
    503: "Something needed does not answer",
}  # fmt: skip
_RETRY_AFTER = {
    "Retry-After": {
        "description": "Seconds to wait", "schema": {"type": "integer", "minimum": 1},
    }
}  # fmt: skip
_LATER = (429, 503)
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
    types = {kind for _, e in endpoints for kind in (e.answer, e.body, e.query) if kind is not None}
    ordered = sorted(types, key=str)
    schemas, components = msgspec.json.schema_components([*ordered, ErrorAnswer], ref_template=_REF)
    known = dict(zip(ordered, schemas, strict=False))
    paths: dict[str, Any] = {}
    for path, endpoint in endpoints:
        operation = _operation(path, endpoint, known, components)
        paths.setdefault(path, {})[endpoint.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Barque", "version": __version__,
            "description": "A self-hosted platform as a service: a deploy you can trust.",
        },
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": components,
            "securitySchemes": {
                "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
                "bearer": {"type": "http", "scheme": "bearer"},
            },
        },
        "security": [{"key": []}, {"bearer": []}],
    }  # fmt: skip


def _operation(
    path: str, endpoint: Endpoint, known: dict[Any, Any], components: dict[str, Any]
) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": _operation_id(path, endpoint),
        "summary": endpoint.summary,
        "tags": [endpoint.handler.__module__.split(".")[1]],
        "parameters": _parameters(path, endpoint, known, components),
        "responses": _responses(path, endpoint, known),
    }
    if endpoint.body is not None:
        content = {_JSON: {"schema": known[endpoint.body]}}
        schema = components[known[endpoint.body]["$ref"].rpartition("/")[2]]
        operation["requestBody"] = {"required": bool(schema.get("required")), "content": content}
    if endpoint.upload:
        content = {_BYTES: {"schema": {"type": "string", "contentMediaType": _BYTES}}}
        operation["requestBody"] = {"required": True, "content": content}
    if endpoint.public:
        operation["security"] = []
    return operation


def _operation_id(path: str, endpoint: Endpoint) -> str:
    """Name an operation; config's handlers serve four levels, and are named by theirs."""
    levels = re.findall(r"\{(org|project|env|svc)\}", path)
    return f"{levels[-1]}_{endpoint.name}" if "/config" in path and levels else endpoint.name


def _parameters(
    path: str, endpoint: Endpoint, known: dict[Any, Any], components: dict[str, Any]
) -> list[dict[str, Any]]:
    found = [_path_parameter(name) for name in re.findall(r"\{(\w+)\}", path)]
    if endpoint.query is not None:
        schema = components[known[endpoint.query]["$ref"].rpartition("/")[2]]
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
        schema = {"type": "integer", "minimum": 1}
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
    error = {_JSON: {"schema": {"$ref": _REF.format(name="ErrorAnswer")}}}
    responses: dict[str, Any] = {}
    for status in statuses(path, endpoint):
        good = status in (endpoint.status, *endpoint.also)
        content = _content(endpoint, known) if good else error
        responses[str(status)] = {"description": _MEANINGS[status]}
        if content and status != 204:
            responses[str(status)]["content"] = content
        if status in _LATER and not good:
            responses[str(status)]["headers"] = _RETRY_AFTER
    return responses


def _content(endpoint: Endpoint, known: dict[Any, Any]) -> dict[str, Any]:
    media = endpoint.media.partition(";")[0]
    shape = known[endpoint.answer] if endpoint.answer is not None else {"type": "string"}
    if media == _JSON and endpoint.answer is None:
        shape = {"type": "object"}
    content = {media: {"schema": shape}}
    if endpoint.events:
        content[_EVENTS] = {"schema": {"type": "string"}}
    return content
