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
from itertools import count
from pathlib import Path
from random import Random
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
_LIKELY = [
    "opened", "reopened", "synchronize", "closed", "acme/api", "stranger/api", "refs/heads/x",
    "2026-01-01T00:00:01Z", "2026-13-99T99:99:99Z", "0001-01-01T00:00:00+23:59", "0" * 40, "\0",
    "x" * 5000, "--upload-pack=x", -1, 0, 7, 2**31, 2**64, 10**400, 1e308, True, False, None, [],
    {}, ["apps/x"], [{"id": _SHA}], {"full_name": "acme/api"},
]  # fmt: skip
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _TEXT | st.sampled_from(_LIKELY),
    lambda some: st.lists(some, max_size=4) | st.dictionaries(_TEXT, some, max_size=4),
    max_leaves=8,
)
_RAW = [
    b"", b"[" * 5000, b'{"a":' * 5000, b"\xff\xfe", b'{"ref": "\\ud800"}', b"null", b"1e999", b"{}",
]  # fmt: skip


Case = tuple[str, str, str, bytes]
_BATCH = 50
_SEEDS = count()


def made_up(pick: Random, pool: list[Any]) -> Case:
    """Make a delivery of which some places hold something else, or none, or which is no JSON."""
    kind = said = pick.choice(["push", "pull_request"])
    if pick.random() < 0.1:
        said = pick.choice(["ping", "", "PUSH", "push", "pull_request"])
    delivery = pick.choice(["x", "~" * 64, "~" * 65]) if pick.random() < 0.1 else str(pick.random())
    if pick.random() < 0.1:
        return kind, said, delivery, pick.choice(_RAW)
    body = copy.deepcopy(_VALID[kind])
    for _ in range(pick.choice([0, 1, 1, 1, 2, 4])):
        _spoil(pick, body, pool)
    raw = json.dumps(body).encode()
    return kind, said, delivery, raw[: pick.randrange(len(raw))] if pick.random() < 0.05 else raw


def _spoil(pick: Random, place: Any, pool: list[Any]) -> None:
    while True:
        key = pick.choice(sorted(place) if isinstance(place, dict) else range(len(place)))
        if not (isinstance(place[key], dict | list) and place[key]) or pick.random() < 0.2:
            break
        place = place[key]
    if pick.random() < 0.2:
        del place[key]
    else:
        # What has the right type may well be taken.
        alike = [one for one in pool if type(one) is type(place[key])]
        choices = alike if alike and pick.random() < 0.5 else pool
        place[key] = copy.deepcopy(pick.choice(choices))
    if not place:
        place.update(x=1) if isinstance(place, dict) else place.append(1)


@st.composite
def batches(draw: st.DrawFn) -> list[Case]:
    """Draw many deliveries around a few odd values."""
    pool = [*draw(st.lists(_JSON, max_size=10)), *_LIKELY, *draw(st.lists(_TEXT, max_size=5))]
    # Numbers that are drawn come again and again: each batch is to be another one.
    pick = Random(next(_SEEDS))
    return [made_up(pick, pool) for _ in range(_BATCH)]


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

        def deliver(case: Case) -> str:
            _, said, delivery, raw = case
            answer = there.deliver(said, delivery, raw)
            assert answer.status_code in (202, 422), (answer.status_code, raw, answer.text)
            value = answer.json()
            assert answer.status_code == 202 or value["errors"], value
            return str(value["result"]) if answer.status_code == 202 else "refused"

        return _each(cases, deliver)


def fuzz_rules(cases: int) -> dict[str, int]:
    """Read `cases` drawn deliveries and judge them, and count what they came to."""
    return _each(cases, lambda case: judge(case[0], case[3]))


def _each(cases: int, act: Callable[[Case], str]) -> dict[str, int]:
    found: Counter[str] = Counter()

    @settings(
        max_examples=-(-cases // _BATCH), deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(batches())
    def run(drawn: list[Case]) -> None:
        for case in drawn:
            found[act(case)] += 1

    run()
    return dict(found)
