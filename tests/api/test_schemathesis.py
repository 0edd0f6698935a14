"""Schemathesis over the served document: no server error, no undocumented status."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import Case
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.generation import GenerationMode
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import positive_data_acceptance

from tests.conftest import Server, free_port, make_env

EXAMPLES = 8


@pytest.fixture
def lenient_server(tmp_path: Path) -> Iterator[Server]:
    # A good part of the cases are wrong keys.
    settings = {"BARQUE_AUTH_FAILURE_LIMIT": "0"}
    running = Server(tmp_path / "barque", free_port(), environment=settings)
    running.start()
    yield running
    running.end()


@pytest.mark.parametrize("mode", GenerationMode)
def test_the_api_is_as_documented(lenient_server: Server, mode: GenerationMode) -> None:
    with lenient_server.client() as client:
        env = make_env(client)
        body = {"name": "api", "platform": "wind", "github_repository": "no/where"}
        client.post(f"{env}/services", json=body)
        # What deletes is tried on names that lead nowhere, or the rest would be tried on nothing.
        names = dict(zip(("org", "project", "env"), env.split("/")[2::2], strict=True))
        names["svc"] = "api"
        hooks = f"/orgs/{names['org']}/webhooks"
        # Nobody listens there.
        names["webhook"] = client.post(hooks, json={"url": "http://127.0.0.1:9/"}).json()["id"]
        ping = client.post(f"{hooks}/{names['webhook']}/ping").json()
        names["delivery"] = ping["id"]
    schema = schemathesis.openapi.from_url(f"{lenient_server.url}/schema/openapi.json")
    findings = []
    for found in schema.get_all_operations():
        try:
            # Where there is nothing to send, nothing wrong can be sent.
            with suppress(Unsatisfiable):
                _try(lenient_server, found.ok(), names, mode)
        except FailureGroup as group:
            findings += [str(one) for one in group.exceptions]
        except Failure as one:
            findings.append(str(one))
    assert not findings, "\n\n".join(findings)


def _try(
    server: Server, operation: APIOperation, names: dict[str, str], mode: GenerationMode
) -> None:
    destructive = operation.method.upper() == "DELETE"

    @settings(
        max_examples=EXAMPLES, deadline=None, database=None, derandomize=True,
        suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.generate],
    )  # fmt: skip
    @given(case=operation.as_strategy(generation_mode=mode), real=st.integers(0, 3).map(bool))
    def run(case: Case, real: bool) -> None:
        # A query has no way to write an object: what would be sent is not what was made up.
        assume(not any(isinstance(value, dict) for value in (case.query or {}).values()))
        if real and not destructive:
            given_names = case.path_parameters or {}
            case.path_parameters = {n: names.get(n, value) for n, value in given_names.items()}
        # Some rules are beyond a schema: a moment to come, a name to make an address of, a place
        # that must be there. What is valid by the schema alone may thus be refused with a 422.
        case.call_and_validate(
            headers={"X-API-Key": server.key},
            timeout=30,
            excluded_checks=[positive_data_acceptance],
        )

    run()
