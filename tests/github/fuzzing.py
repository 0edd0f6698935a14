"""Deliveries that GitHub would never send, to the app itself, in this process.

What they may come to is a refusal, or a result: never an error of the platform's own.
"""

import asyncio
import copy
import hashlib
import hmac
import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock

import httpx
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from barque.accounts.models import Organization
from barque.app import create_app
from barque.bodies import decode
from barque.errors import Invalid
from barque.github.changes import changed
from barque.github.models import Preview
from barque.github.previews import next_step
from barque.github.schemas import PullRequestEvent, Push
from barque.platform import Platform
from barque.projects.models import Environment, Project
from barque.services.models import Service
from barque.services.watching import touches
from barque.settings import Settings

_SECRET = "a secret of the fuzzer"
_SHA = "0123456789abcdef0123456789abcdef01234567"
_VALID: dict[str, dict[str, Any]] = {
    "push": {
        "ref": "refs/heads/main", "before": "0" * 40, "after": _SHA, "created": False,
        "forced": False, "repository": {"full_name": "acme/api"}, "pusher": {"name": "ann"},
        "commits": [{"id": _SHA, "added": ["a"], "modified": ["apps/b"], "removed": []}],
    },
    "pull_request": {
        "action": "opened", "number": 1, "repository": {"full_name": "acme/api"},
        "before": _SHA, "sender": {"login": "ann"},
        "pull_request": {
            "number": 1, "state": "open", "updated_at": "2026-01-01T00:00:00Z",
            "head": {"sha": _SHA, "ref": "feature", "repo": {"full_name": "acme/api"}},
        },
    },
}  # fmt: skip
# Lone surrogates too: JSON can spell them.
_TEXT = st.text(st.characters(), max_size=40)
_LIKELY = st.sampled_from([
    "opened", "reopened", "synchronize", "closed", "acme/api", "stranger/api", "refs/heads/x",
    "2026-01-01T00:00:01Z", "2026-13-99T99:99:99Z", "0001-01-01T00:00:00+23:59", "0" * 40, "\0",
    "x" * 5000, "--upload-pack=x", -1, 0, 2**31, 2**64, 10**400, 1e308, True, None, [], {},
])  # fmt: skip
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _TEXT | _LIKELY,
    lambda some: st.lists(some, max_size=4) | st.dictionaries(_TEXT, some, max_size=4),
    max_leaves=8,
)
_RAW = st.binary(max_size=200) | st.sampled_from([
    b"", b"[" * 5000, b'{"a":' * 5000, b"\xff\xfe", b'{"ref": "\\ud800"}', b"null", b"1e999", b"{}",
])  # fmt: skip
_KIND = st.sampled_from(["push", "pull_request"])
_ODD_KIND = _KIND | st.sampled_from(["ping", "", "PUSH"])
_DELIVERY = st.uuids().map(str) | st.text(st.characters(min_codepoint=33, max_codepoint=126))


@st.composite
def bodies(draw: st.DrawFn, kind: str) -> bytes:
    """Draw a valid delivery of which some places hold something else, or none."""
    body = copy.deepcopy(_VALID[kind])
    for _ in range(draw(st.sampled_from([0, 1, 1, 1, 2, 4]))):
        place: Any = body
        while True:
            keys = sorted(place) if isinstance(place, dict) else range(len(place))
            key = draw(st.sampled_from(list(keys)))
            deeper = isinstance(place[key], dict | list) and bool(place[key])
            if not deeper or draw(st.booleans()):
                break
            place = place[key]
        if isinstance(place, dict) and len(place) > 1 and draw(st.integers(0, 4)) == 0:
            del place[key]
        else:
            place[key] = draw(_JSON)
    raw = json.dumps(body).encode()
    return raw[: draw(st.integers(0, len(raw)))] if draw(st.integers(0, 20)) == 0 else raw


class Hook:
    """The app's hook, where nothing that it begins is carried out."""

    def __init__(self, folder: Path, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.platform = Platform(Settings(data_dir=folder, webhook_secret=_SECRET))
        self.platform.pipeline.begin = AsyncMock()  # type: ignore[method-assign]
        self.platform.rollouts.erase = AsyncMock()  # type: ignore[method-assign]
        app = httpx.ASGITransport(create_app(self.platform))  # type: ignore[arg-type]
        self._client = httpx.AsyncClient(transport=app, base_url="http://barque")
        loop.run_until_complete(self._fill())

    def deliver(self, kind: str, delivery: str, body: bytes) -> httpx.Response:
        signed = hmac.new(_SECRET.encode(), body, hashlib.sha256).hexdigest()
        headers = {
            "X-GitHub-Event": kind, "X-GitHub-Delivery": delivery,
            "X-Hub-Signature-256": f"sha256={signed}",
        }  # fmt: skip
        asked = self._client.post(
            "/api/v1/integrations/github/hooks", content=body, headers=headers
        )
        return self._loop.run_until_complete(asked)

    def close(self) -> None:
        self._loop.run_until_complete(self.platform.database.close())

    async def _fill(self) -> None:
        """Make what deliveries can be about."""
        database = self.platform.database
        await database.migrate()
        async with database.write() as session:
            key = self.platform.vault.new_data_key()
            org = Organization(name="Acme", slug="acme", data_key=key)
            session.add(org)
            await session.flush()
            project = Project(org_id=org.id, name="Shop", slug="shop")
            session.add(project)
            await session.flush()
            env = Environment(
                project_id=project.id, name="Main", slug="main", env_type="production",
                protected=True, auto_deploy_branch="main", ephemeral=False, previews=True,
                previews_from_forks=True,
            )  # fmt: skip
            session.add(env)
            await session.flush()
            session.add(
                Service(
                    environment_id=env.id, name="API", slug="api", platform="wind",
                    github_repository="acme/api", health_check_path="/", deployment_timeout=9,
                    process_counts={"web": 2}, watch_paths=["/apps/", "*.py"],
                )
            )  # fmt: skip


@contextmanager
def hook(folder: Path) -> Iterator[Hook]:
    loop = asyncio.new_event_loop()
    there = Hook(folder, loop)
    try:
        yield there
    finally:
        there.close()
        loop.close()


def judge(kind: str, raw: bytes) -> str:
    """Read a delivery and apply the rules that need no platform, as the hook would."""
    try:
        event: Push | PullRequestEvent = decode(raw, Push if kind == "push" else PullRequestEvent)
    except Invalid as error:
        assert error.errors
        return "refused"
    if isinstance(event, Push):
        return str(touches(changed(event), ["/apps/", "!*.md", "*.py"], None))
    known = Preview(
        open=True, environment_id="e", moment="2026-01-01T00:00:01Z", head_sha=_SHA, number=1
    )
    return f"{next_step(None, event)}, {next_step(known, event)}"


def fuzz(folder: Path, cases: int) -> dict[str, int]:
    """Deliver `cases` drawn deliveries to the app, and count what they came to."""
    with hook(folder) as there:

        def deliver(data: st.DataObject, kind: str, raw: bytes) -> str:
            said = data.draw(_ODD_KIND) if data.draw(st.integers(0, 9)) == 0 else kind
            answer = there.deliver(said, data.draw(_DELIVERY), raw)
            assert answer.status_code in (202, 422), (answer.status_code, raw, answer.text)
            value = answer.json()
            assert answer.status_code == 202 or value["errors"], value
            return str(value["result"]) if answer.status_code == 202 else "refused"

        return _each(cases, deliver)


def fuzz_rules(cases: int) -> dict[str, int]:
    """Read `cases` drawn deliveries and judge them, and count what they came to."""
    return _each(cases, lambda _, kind, raw: judge(kind, raw))


def _each(cases: int, act: Callable[[st.DataObject, str, bytes], str]) -> dict[str, int]:
    found: Counter[str] = Counter()

    @settings(
        max_examples=cases, deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(st.data())
    def run(data: st.DataObject) -> None:
        kind = data.draw(_KIND)
        raw = data.draw(_RAW) if data.draw(st.integers(0, 9)) == 0 else data.draw(bodies(kind))
        found[act(data, kind, raw)] += 1

    run()
    return dict(found)
