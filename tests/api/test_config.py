from pathlib import Path

import httpx
import pytest

from tests.conftest import Server

MARKER = "marker-5f1c-secret"


@pytest.fixture
def levels(api: httpx.Client, env: str) -> list[str]:
    api.post(f"{env}/services", json={"name": "api", "platform": "wind"})
    org = env.split("/projects", maxsplit=1)[0]
    return [org, env.split("/envs", maxsplit=1)[0], env, f"{env}/services/api"]


def test_nearest_level_wins(api: httpx.Client, levels: list[str]) -> None:
    for level in levels:
        for name in ("B", "A"):
            answer = api.post(f"{level}/config", json={"name": name, "value": level})
            assert answer.status_code == 201
    api.post(f"{levels[0]}/config", json={"name": "ONLY", "value": "org"})
    resolved = api.get(f"{levels[3]}/config/resolved").json()
    assert [row["name"] for row in resolved] == ["A", "B", "ONLY"]
    assert resolved[0] == {
        "name": "A", "value": levels[3], "secret": False, "buildtime": False,
        "scope": "service", "overrides": ["environment", "project", "org"],
    }  # fmt: skip
    assert resolved[2]["scope"] == "org"


def test_set_replace_patch_delete(api: httpx.Client, levels: list[str]) -> None:
    for level in levels:
        path = f"{level}/config"
        made = api.post(path, json={"name": "X", "value": "1"})
        assert made.status_code == 201
        replaced = api.post(path, json={"name": "X", "value": "2"})
        assert replaced.status_code == 200
        assert replaced.json()["id"] == made.json()["id"]
        one = f"{path}/{made.json()['id']}"
        assert api.patch(one, json={"buildtime": True}).json()["value"] == "2"
        assert api.delete(one).status_code == 204
        assert api.delete(one).status_code == 404
        assert api.get(path).json() == []


def test_secrets_are_nowhere(server: Server, api: httpx.Client, levels: list[str]) -> None:
    for number, level in enumerate(levels):
        body = {"name": f"S{number}", "value": f"{MARKER}{number}", "secret": True}
        answer = api.post(f"{level}/config", json=body)
        assert answer.json()["value"] is None
        one = f"{level}/config/{answer.json()['id']}"
        assert api.patch(one, json={"secret": False}).status_code == 422
        for seen in (api.get(f"{level}/config"), api.patch(one, json={"buildtime": True})):
            assert MARKER not in seen.text
    assert MARKER not in api.get(f"{levels[3]}/config/resolved").text
    assert MARKER not in api.get(f"{levels[0]}/audit", params={"per_page": 100}).text
    for file in filter(Path.is_file, server.data_dir.rglob("*")):
        assert MARKER.encode() not in file.read_bytes(), file.name


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "1A", "value": ""}, "name"), ({"name": "PORT", "value": "1"}, "name"),
        ({"name": "BARQUE_X", "value": "1"}, "name"), ({"name": "A" * 256, "value": ""}, "name"),
        ({"name": "A", "value": "x" * 65537}, "value"), ({"name": "A"}, "value"),
        ({"name": "A", "value": 1}, "value"), ({"name": "A", "value": "\0"}, "value"),
    ],
)  # fmt: skip
def test_bad_variables(
    api: httpx.Client, levels: list[str], body: dict[str, object], field: str
) -> None:
    answer = api.post(f"{levels[3]}/config", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field


def test_bulk_is_all_or_nothing(api: httpx.Client, levels: list[str]) -> None:
    path = f"{levels[3]}/config"
    api.post(path, json={"name": "A", "value": "1"})
    raw = "# comment\nA=1\nexport B='two words'\nC=\"x\\ny\"\n"
    answer = api.post(f"{path}/bulk", json={"raw": raw})
    assert answer.json() == {"created": ["B", "C"], "replaced": [], "unchanged": ["A"]}
    variables = [{"name": "D", "value": "1"}, {"name": "PORT", "value": "1"}]
    assert api.post(f"{path}/bulk", json={"variables": variables}).status_code == 422
    assert api.post(f"{path}/bulk", json={"raw": "A=1\nnot a line\n"}).status_code == 422
    assert api.post(f"{path}/bulk", json={}).status_code == 422
    assert [row["name"] for row in api.get(path).json()] == ["A", "B", "C"]


def test_config_goes_with_its_service(api: httpx.Client, levels: list[str]) -> None:
    new = {"name": "api", "platform": "wind"}
    api.post(f"{levels[3]}/config", json={"name": "A", "value": "1"})
    api.delete(levels[3])
    api.post(f"{levels[2]}/services", json=new)
    assert api.get(f"{levels[3]}/config").json() == []
