"""Whatever the API can do, the client can: its methods, asked what they would send."""

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from barque.app import endpoints
from barque.client import Blocking, Client, Env, Org, Project, Retries, Service, Webhook
from barque.client.verbs import stream, verb
from barque.client.work import Do, Send

LEVELS = {
    Client: "/api/v1",
    Org: "/api/v1/orgs/a",
    Webhook: "/api/v1/orgs/a/webhooks/x",
    Project: "/api/v1/orgs/a/projects/b",
    Env: "/api/v1/orgs/a/projects/b/envs/c",
    Service: "/api/v1/orgs/a/projects/b/envs/c/services/d",
}
# What is for browsers, GitHub and load balancers alone; and one variable, which is a bulk of one.
NOT_THERE = {
    "GET /docs", "GET /health", "POST /api/v1/integrations/github/hooks",
    *(f"POST {path}/config" for kind, path in LEVELS.items() if kind not in (Client, Webhook)),
}  # fmt: skip
VALUES: dict[Any, Any] = {int: 1, Path: Path(), "org": "a"}


def requests(kind: type, path: str) -> Iterator[str]:
    """List what the methods of a handle would send, each named by its method and path."""
    handle: Any = kind("http://x", "k") if kind is Client else kind(connection(), path)
    for name, method in inspect.getmembers(kind):
        if isinstance(method, verb | stream):
            yield from sent(method._describe, handle, name)


def connection() -> Blocking:
    return Blocking("http://x", "k", 1, Retries())


def sent(describe: Any, handle: Any, name: str) -> Iterator[str]:
    required = [
        VALUES.get(one.annotation, "x")
        for one in list(inspect.signature(describe).parameters.values())[1:]
        if one.default is one.empty and one.kind is one.POSITIONAL_OR_KEYWORD
    ]
    if name in ("set_config", "scale"):
        required = [{"x": 1}]
    work, answer = describe(handle, *required), None
    # None takes more than three steps.
    for _ in range(3):
        try:
            step = work.send(answer)
        except StopIteration:
            return
        if isinstance(step, Do):
            answer = ["a file"]
            continue
        if not isinstance(step, Send):
            # What a stream says is of no interest here.
            return
        yield f"{step.request.method} {step.request.path}"
        answer = said(step.request.path)


def said(path: str) -> Any:
    if path.endswith("/config"):
        return httpx.Response(200, json=[{"name": "x", "id": "x"}])
    page = {"items": [], "pagination": {"pages": 1}, "lines": []}
    return httpx.Response(200, json={**page, "root_directory": None, "dockerfile": ""})


def test_every_endpoint_has_a_method() -> None:
    known = {one for kind, path in LEVELS.items() for one in requests(kind, path)}
    patterns = {
        f"{endpoint.method} {path}": re.compile(
            f"{endpoint.method} {re.sub(r'{[a-z_]+}', '[^/]+', path)}"
        )
        for path, endpoint in endpoints()
    }
    missing = {
        name
        for name, pattern in patterns.items()
        if not any(pattern.fullmatch(one) for one in (*known, *NOT_THERE))
    }
    assert missing == set()
    unknown = {
        one for one in known if not any(pattern.fullmatch(one) for pattern in patterns.values())
    }
    assert unknown == set()
