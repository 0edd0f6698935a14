"""Numbers and texts that not every database takes: refused, with the reason, over any of them."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from barque.app import endpoints
from barque.system.openapi import document
from tests.conftest import Server, free_port, make_app, make_env
from tests.postgresql import PostgreSQL

INTEGERS = (st.integers(2**31, 2**34), st.integers(2**63, 2**70), st.integers(-(2**70), -(2**63)))
# The last is too long for Python itself to read.
BEYOND = st.one_of(*(one.map(str) for one in INTEGERS), st.just("9" * 5000))
API = document(endpoints())
# What is signed is read only after that.
SIGNED = "/api/v1/integrations/github/hooks"
SOUND = {
    "platform": "wind", "kind": "token", "email": "a@example.org", "role": "viewer",
    "url": "http://127.0.0.1:9/",
}  # fmt: skip


class Field(NamedTuple):
    """A field of a request: in its `path`, its `query` or its `body`, with what must go along."""

    method: str
    path: str
    place: str
    name: str
    schema: dict[str, Any]
    along: dict[str, str]


def inputs(operation: dict[str, Any]) -> Iterator[tuple[str, str, bool, dict[str, Any]]]:
    """List what an operation takes: where, by which name, whether it must, and its schema."""
    for one in operation["parameters"]:
        yield one["in"], one["name"], one["required"], one["schema"]
    content = operation.get("requestBody", {}).get("content", {})
    if "application/json" in content:
        shape = content["application/json"]["schema"]["$ref"].rpartition("/")[2]
        body = API["components"]["schemas"][shape]
        for name, schema in body["properties"].items():
            yield "body", name, name in body["required"], schema


def kinds(schema: dict[str, Any]) -> set[str]:
    inner = [*schema.get("anyOf", []), schema.get("additionalProperties")]
    found = {str(schema.get("type"))}
    return found.union(*(kinds(one) for one in inner if isinstance(one, dict)))


def fields(kind: str) -> Iterator[Field]:
    """List every field of every request that takes a value of this kind."""
    for path, methods in API["paths"].items():
        for method, operation in methods.items():
            for place, name, _, schema in inputs(operation):
                if path == SIGNED or place == "header" or kind not in kinds(schema):
                    continue
                others = [one[1] for one in inputs(operation) if one[0] == place and one[2]]
                along = {other: SOUND.get(other, "x") for other in others if other != name}
                yield Field(method, path, place, name, schema, along)


@pytest.fixture(params=["sqlite", "postgresql"], scope="module")
def client(
    request: pytest.FixtureRequest, server: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    if request.param == "sqlite":
        with server.client() as client:
            yield client
        server.clear()
        return
    postgresql: PostgreSQL = request.getfixturevalue("postgresql")
    folder: Path = tmp_path_factory.mktemp("extremes")
    own = Server(folder / "barque", free_port(), database=postgresql.database())
    own.start()
    with own.client() as client:
        yield client
    own.end()


@pytest.fixture(scope="module")
def names(server: Server, client: httpx.Client) -> dict[str, str]:
    """The names of a service that is there, so that each path leads as far as it can."""
    app = make_app(server, client, make_env(client))
    return dict(zip(("org", "project", "env", "svc"), app.path.split("/")[2::2], strict=True))


def refused(client: httpx.Client, field: Field, names: dict[str, str], written: str) -> None:
    """Send a value, as JSON writes it, in a field, and see it refused."""
    text = written if re.fullmatch("-?[0-9]+", written) else json.loads(written)
    known = {**names, field.name: text} if field.place == "path" else names
    if "object" in kinds(field.schema):
        written = f'{{"web": {written}}}'
    path = re.sub(r"{(\w+)}", lambda name: quote(known.get(name[1], "1"), safe=""), field.path)
    # A number that Python cannot read, it cannot write either.
    body = json.dumps({**field.along, field.name: "?"}).replace('"?"', written)
    answer = client.request(
        field.method,
        path.removeprefix("/api/v1"),
        params={**field.along, field.name: text} if field.place == "query" else None,
        content=body if field.place == "body" else None,
    )
    said = answer.json()
    assert answer.status_code == said["status"], field
    assert said["message"], field
    if field.place == "path":
        assert answer.status_code == 404, (field, said)
    elif answer.status_code != 404:
        assert answer.status_code == 422, (field, said)
        assert said["errors"][0]["field"].startswith(field.name), (field, said)


@settings(
    max_examples=8, deadline=None, database=None, derandomize=True,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
@given(number=BEYOND)
def test_a_number_beyond_all_bounds(
    client: httpx.Client, names: dict[str, str], number: str
) -> None:
    for field in fields("integer"):
        refused(client, field, names, number)


def test_a_null_character(client: httpx.Client, names: dict[str, str]) -> None:
    for field in fields("string"):
        refused(client, field, names, r'"a\u0000b"')
