"""How often a key, and whoever has none, may ask."""

from collections.abc import Iterator

import httpx
import pytest

from barque.client import ApiError, Client, Retries
from tests.conftest import App, Server, ask, free_port


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    settings = {"BARQUE_RATE_LIMIT": "2", "BARQUE_AUTH_FAILURE_LIMIT": "3"}
    folder = tmp_path_factory.mktemp("strict") / "barque"
    running = Server(folder, free_port(), environment=settings)
    running.start()
    yield running
    running.end()


def limited_key(api: httpx.Client, limit: int | None, **more: str) -> str:
    made = api.post("/api-keys", json={"name": "k", "rate_limit": limit, **more})
    assert made.status_code == 201, made.text
    assert made.json()["rate_limit"] == limit
    return str(made.json()["key"])


def statuses(client: httpx.Client, count: int) -> list[int]:
    return [client.get("/whoami").status_code for _ in range(count)]


def test_a_limit_is_shown_and_checked(api: httpx.Client) -> None:
    limited_key(api, 123)
    rows = api.get("/api-keys").json()
    assert 123 in [row["rate_limit"] for row in rows]
    assert [row["rate_limit"] for row in rows if row["name"] == "first start"] == [0]
    for wrong in (0, -1, 1_000_001, "5", 1.5):
        answer = api.post("/api-keys", json={"name": "k", "rate_limit": wrong})
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == "rate_limit"


def test_a_request_too_many_starts_no_work(server: Server, api: httpx.Client, app: App) -> None:
    with server.client(limited_key(api, 1)) as client:
        assert client.get(f"{app.path}/images").status_code == 200
        refused = client.post(f"{app.path}/images/build", json={})
    assert refused.status_code == refused.json()["status"] == 429
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert refused.headers["Retry-After"] in refused.json()["message"]
    assert api.get(f"{app.path}/images").json()["items"] == []


def test_each_key_has_a_limit_of_its_own(strict: Server) -> None:
    with strict.client() as admin:
        assert statuses(admin, 20) == [200] * 20
        keys = [limited_key(admin, limit) for limit in (None, None, 10)]
    for key, allowed in zip(keys, (2, 2, 10), strict=True):
        with strict.client(key) as client:
            assert statuses(client, allowed + 1) == [200] * allowed + [429]
    assert ask(f"{strict.url}/health").status_code == 200


def test_keys_cannot_be_guessed_at_speed(strict: Server) -> None:
    def whoami(address: str, key: str | None) -> int:
        headers = {"X-Forwarded-For": address} | ({"X-API-Key": key} if key else {})
        return ask(f"{strict.url}/api/v1/whoami", headers=headers).status_code

    for ours, same, others in (
        ("203.0.113.7", "203.0.113.7", "203.0.113.8"),
        ("2001:db8::7", "2001:db8::8", "2001:db8:0:1::7"),
    ):
        # Who has no key at all guesses nothing.
        assert [whoami(ours, None) for _ in range(5)] == [401] * 5
        assert [whoami(ours, f"barque_{guess}") for guess in range(4)] == [401, 401, 401, 429]
        # Nor would the right guess be noticed.
        assert whoami(same, strict.key) == 429
        assert whoami(others, strict.key) == 200
    assert whoami("no:address", "barque_x") == 401


def test_the_client_waits_as_long_as_it_is_told(server: Server, api: httpx.Client) -> None:
    client = Client(server.url, limited_key(api, 60))
    # One comes free each second: the last three are waited for.
    answers = [client.whoami() for _ in range(63)]
    assert len(answers) == 63


def test_the_client_does_not_wait_forever(server: Server, api: httpx.Client) -> None:
    client = Client(server.url, limited_key(api, 1), retries=Retries(patience=5))
    client.whoami()
    with pytest.raises(ApiError) as refused:
        client.whoami()
    assert refused.value.status == 429
    assert refused.value.retry_after is not None


def test_the_client_waits_for_a_stream_too(server: Server, api: httpx.Client, app: App) -> None:
    app.commit({"README": "nothing to build"})
    version = app.build()
    app.image(version)
    client = Client(server.url, limited_key(api, 30))
    service = client.service(app.path.removeprefix("/orgs/").replace("/projects", "").replace(
        "/envs", "").replace("/services", ""))  # fmt: skip
    for _ in range(30):
        client.whoami()
    assert list(service.follow_build(version))
