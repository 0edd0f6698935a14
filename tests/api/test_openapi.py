"""The OpenAPI document: complete, exact, and the source of the reference."""

import re
import runpy
from pathlib import Path

import jsonschema_rs
import pytest

from barque.app import endpoints
from barque.system.openapi import document
from tests.conftest import Server, ask

SVC = "/api/v1/orgs/{org}/projects/{project}/envs/{env}/services/{svc}"
PROJECT = "/api/v1/orgs/{org}/projects/{project}"
CONTRACT = [
    "GET /health", "GET /ready", "GET /metrics", "GET /docs", "GET /schema/openapi.json",
    "GET /api/v1/platforms", "GET /api/v1/orgs", "POST /api/v1/orgs", "GET /api/v1/orgs/{org}",
    "PATCH /api/v1/orgs/{org}", "DELETE /api/v1/orgs/{org}", "GET /api/v1/orgs/{org}/members",
    "POST /api/v1/orgs/{org}/members", "PATCH /api/v1/orgs/{org}/members/{user}",
    "DELETE /api/v1/orgs/{org}/members/{user}", "GET /api/v1/orgs/{org}/audit",
    "GET /api/v1/orgs/{org}/projects", "POST /api/v1/orgs/{org}/projects", f"GET {PROJECT}",
    f"PATCH {PROJECT}", f"DELETE {PROJECT}", f"GET {PROJECT}/envs", f"POST {PROJECT}/envs",
    f"GET {PROJECT}/envs/{{env}}", f"PATCH {PROJECT}/envs/{{env}}",
    f"DELETE {PROJECT}/envs/{{env}}", f"GET {PROJECT}/envs/{{env}}/services",
    f"POST {PROJECT}/envs/{{env}}/services", f"GET {SVC}", f"PATCH {SVC}", f"DELETE {SVC}",
    *(f"{method} {level}/config" for method in ("GET", "POST")
      for level in ("/api/v1/orgs/{org}", PROJECT, f"{PROJECT}/envs/{{env}}", SVC)),
    f"POST {SVC}/config/bulk", f"PATCH {SVC}/config/{{config_id}}",
    f"DELETE {SVC}/config/{{config_id}}", f"GET {SVC}/config/resolved", f"GET {SVC}/images",
    f"POST {SVC}/images/build", f"GET {SVC}/images/{{version}}",
    f"GET {SVC}/images/{{version}}/log", f"POST {SVC}/images/{{version}}/cancel",
    f"GET {SVC}/releases", f"GET {SVC}/releases/{{version}}",
    f"GET {SVC}/releases/{{version}}/log", f"POST {SVC}/deploy", f"POST {SVC}/rollback",
    f"GET {SVC}/deployments", f"GET {SVC}/deployments/{{deployment}}",
    f"GET {SVC}/deployments/{{deployment}}/log", f"POST {SVC}/deployments/{{deployment}}/cancel",
    f"POST {SVC}/scale", f"POST {SVC}/restart", f"POST {SVC}/run", f"GET {SVC}/processes",
    f"GET {SVC}/logs", f"GET {PROJECT}/pipeline/status", f"GET {PROJECT}/pipeline/metrics",
    f"GET {PROJECT}/pipeline/history", f"POST {PROJECT}/pipeline/deploy",
    f"GET {PROJECT}/promote/preview", f"POST {PROJECT}/promote",
    "POST /api/v1/integrations/github/hooks",
]  # fmt: skip


def test_every_endpoint_of_the_contract_is_there() -> None:
    declared = {f"{endpoint.method} {path}" for path, endpoint in endpoints()}
    assert not set(CONTRACT) - declared


def test_the_document_is_sound(server: Server) -> None:
    served = ask(f"{server.url}/schema/openapi.json").json()
    assert served == document(endpoints())
    assert served["openapi"] == "3.1.0"
    operations = [op for methods in served["paths"].values() for op in methods.values()]
    names = [op["operationId"] for op in operations]
    assert len(set(names)) == len(names)
    # Clients in other languages are named by these.
    assert all(re.fullmatch(r"[a-z]+([A-Z][a-z]+)*", name) for name in names)
    assert all(op["summary"].endswith(".") for op in operations)
    for schema in served["components"]["schemas"].values():
        jsonschema_rs.meta.validate(schema)


def test_the_reference_is_up_to_date() -> None:
    script = Path(__file__).parents[2] / "scripts" / "reference.py"
    for path, text in runpy.run_path(str(script))["generated"]().items():
        assert path.read_text() == text, f"{path.name}: run scripts/reference.py"


@pytest.mark.parametrize("path", ["/docs", "/metrics", "/ready", "/health"])
def test_what_is_open_to_all(server: Server, path: str) -> None:
    for base in ("", "/api/v1"):
        answer = ask(f"{server.url}{base}{path}")
        assert answer.status_code == 200
        assert answer.content


def test_ready_names_each(server: Server) -> None:
    well = {"status": "ok", "database": "ok", "engine": "ok", "router": "ok"}
    assert server.ready() == well
    assert "barque_http_requests_total" in ask(f"{server.url}/metrics").text
