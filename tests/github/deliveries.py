"""Deliveries about pull requests and pushes, as GitHub documents them."""

from typing import Any

import httpx

from tests.conftest import App, Server
from tests.e2e.helpers import push


def repository_of(app: App) -> str:
    return str(app.api.get(app.path).json()["github_repository"])


def pull(
    server: Server, repository: str, action: str, sha: str, second: int, **more: Any
) -> dict[str, Any]:
    """Deliver what happened to pull request 12 in a second of a day, and return the answer."""
    number, fork = more.pop("number", 12), more.pop("head_repository", repository)
    headers = {"X-GitHub-Event": "pull_request", **more.pop("headers", {})}
    body: dict[str, object] = {
        "action": action, "number": number, "repository": {"full_name": repository},
        "pull_request": {
            "number": number, "state": "closed" if action == "closed" else "open",
            "updated_at": f"2026-01-01T00:00:{second:02}Z",
            "head": {"sha": sha, "ref": "feature", "repo": fork and {"full_name": fork}},
        },
        "sender": {"login": "ann"}, **more,
    }  # fmt: skip
    answer = push(server, body, **headers)
    assert answer.status_code == 202, answer.text
    return dict(answer.json())


def pushed(server: Server, repository: str, sha: str, **more: Any) -> httpx.Response:
    """Deliver a push to the branch main."""
    body = {
        "ref": "refs/heads/main", "after": sha, "repository": {"full_name": repository},
        "pusher": {"name": "ann"}, **more,
    }  # fmt: skip
    return push(server, body)
