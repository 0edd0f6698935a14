"""The log store: bounds by process, search, followers that are cut, a file that fails."""

import asyncio
import json
import sqlite3
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from barque.logs.file import Bounds, LogFile
from barque.logs.lines import ALL, CUT, LONGEST, Entry, Line, Wanted
from barque.logs.position import Position
from barque.logs.store import LogStore
from barque.logs.thread import LogsUnavailable

STREAM = "output:x"
START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
async def logs(tmp_path: Path) -> AsyncIterator[LogStore]:
    store = LogStore(tmp_path / "logs.db", Bounds(1000, 1_000_000))
    yield store
    await store.aclose()


def entry(text: str, process: str = "web", second: int = 0) -> Entry:
    at = (START + timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%S.000000000Z")
    return Entry(at, text, process, 0)


async def say(logs: LogStore, *entries: Entry) -> None:
    await logs.extend(STREAM, entries, "", Position())


async def found(logs: LogStore, wanted: Wanted = ALL, count: int = 100) -> list[str]:
    return [line.text for line in (await logs.tail(STREAM, wanted, count)).lines]


async def over() -> str | None:
    return "over"


async def events(
    logs: LogStore, after: int, wanted: Wanted = ALL, most: int | None = None
) -> list[tuple[str, int, object]]:
    """Follow, and cut after `most` events; each is its kind, its id or 0, and what it says."""
    read: list[tuple[str, int, object]] = []
    following = logs.follow(STREAM, after, over, wanted=wanted, show=lambda line: line)
    async for sent in following:
        for block in sent.decode().removesuffix("\n\n").split("\n\n"):
            fields = dict(part.split(": ", 1) for part in block.split("\n"))
            kind = fields.get("event", "message")
            read.append((kind, int(fields.get("id", 0)), json.loads(fields["data"])))
            if len(read) == most:
                await following.aclose()  # type: ignore[attr-defined]
                return read
    return read


PROCESSES = st.sampled_from(["web", "worker", "cron"])
SAID = st.lists(st.tuples(PROCESSES, st.integers(0, 60)), max_size=12)
STEP = st.one_of(
    st.tuples(st.just("say"), SAID, st.just(0)), st.tuples(st.just("cut"), SAID, st.integers(1, 9))
)


@settings(deadline=None, max_examples=60)
@given(st.lists(STEP, max_size=25), st.integers(1, 12), st.integers(60, 400))
def test_a_follower_that_is_cut_sees_each_line_once(
    steps: list[tuple[str, list[tuple[str, int]], int]], lines: int, size: int
) -> None:
    async def run() -> None:
        with tempfile.TemporaryDirectory() as folder:
            logs = LogStore(Path(folder) / "logs.db", Bounds(lines, size))
            try:
                await _follow_through(logs, steps, lines, size)
            finally:
                await logs.aclose()

    asyncio.run(run())


async def _follow_through(
    logs: LogStore, steps: list[tuple[str, list[tuple[str, int]], int]], lines: int, size: int
) -> None:
    said: list[Entry] = []
    at, seen, gone = 0, list[int](), 0
    for kind, batch, most in [*steps, ("cut", [], None)]:
        new = [
            entry(f"{n}".ljust(length, "x"), process) for n, (process, length) in enumerate(batch)
        ]
        if new:
            await say(logs, *new)
            said += new
        if kind == "say":
            continue
        for event, id_, data in await events(logs, at, most=most):
            if event == "gap":
                # It is told again to whoever was cut before the line after it.
                gone = at + int(data["lines"])  # type: ignore[index]
            elif event == "message":
                assert id_ == max(at, gone) + 1, "a line is missing, and no gap was told of"
                assert (data["text"], data["process"]) == said[id_ - 1][1:3]  # type: ignore[index]
                at = id_
                seen.append(id_)
    kept = (await logs.tail(STREAM, ALL, -1)).lines
    assert seen == sorted(set(seen))
    assert at == len(said)
    assert [line.text for line in kept] == [said[line.id - 1].text for line in kept]
    _assert_bounds(kept, said, lines, size)


def _assert_bounds(kept: list[Line], said: list[Entry], lines: int, size: int) -> None:
    counts, sizes = Counter[str](), Counter[str]()
    for line in kept:
        counts[line.process] += 1
        sizes[line.process] += len(line.text)
    for process in {entry.process for entry in said}:
        mine = [entry.text for entry in said if entry.process == process]
        assert [line.text for line in kept if line.process == process] == mine[-counts[process] :]
        assert 1 <= counts[process] <= lines
        assert sizes[process] <= size
        # Nothing that had its place was let go.
        if counts[process] < min(lines, len(mine)):
            assert sizes[process] + len(mine[-counts[process] - 1]) > size


async def test_a_chatty_process_pushes_out_nobody_else(logs: LogStore) -> None:
    await say(logs, entry("at work", "worker"))
    for number in range(5):
        await say(logs, *(entry(f"{number} {n}") for n in range(700)))
    assert await found(logs, Wanted("worker")) == ["at work"]
    assert len(await found(logs, Wanted("web"), -1)) == 1000
    assert (await found(logs, count=2)) == ["4 698", "4 699"]
    sent = await events(logs, 0)
    assert [data for kind, _, data in sent if kind == "gap"] == [{"lines": 2500}]
    assert sent[1][0] == "gap"
    # Of the worker nothing is gone; of the web nobody knows which lines would have matched.
    assert [kind for kind, *_ in await events(logs, 0, Wanted("worker"))] == ["message", "end"]
    assert (await events(logs, 1, Wanted("web", search="4 69")))[0] == ("gap", 0, {"lines": None})
    assert await events(logs, 3501) == [("end", 0, {"status": "over"})]


async def test_search(logs: LogStore) -> None:
    texts = ["100% sure", "100 sure", "a_b", "axb", "back\\slash", "Übergröße", "GET /x", "a\0b"]
    await say(logs, *(entry(text, "web", n) for n, text in enumerate(texts)))
    for search, matches in {
        "100%": ["100% sure"], "SURE": ["100% sure", "100 sure"], "A_B": ["a_b"],
        "\\": ["back\\slash"], "ÜBERGRÖSSE": ["Übergröße"], "get": ["GET /x"], "'": [],
        "a\0b": ["a\ufffdb"],
    }.items():  # fmt: skip
        assert await found(logs, Wanted(search=search)) == matches, search
    moments = [START + timedelta(seconds=n) for n in (1, 4)]
    assert await found(logs, Wanted(None, *moments)) == texts[1:4]
    assert await found(logs, Wanted("web", *moments, "SURE")) == ["100 sure"]
    assert await found(logs, Wanted("worker", *moments)) == []
    assert await found(logs, Wanted(until=datetime.min.replace(tzinfo=UTC))) == []
    late = datetime.max.replace(tzinfo=UTC)
    assert await found(logs, Wanted(until=late, since=moments[1]), 2) == ["GET /x", "a\ufffdb"]
    sent = await events(logs, 0, Wanted(search="sure"))
    assert [id_ for _, id_, _ in sent] == [1, 2, 0]
    past = Wanted(until=moments[0])
    assert [data for *_, data in await events(logs, 0, past)][1] == {"status": "until"}


async def test_an_overlong_line_is_cut(logs: LogStore) -> None:
    await say(logs, entry("é" * LONGEST), entry("x" * LONGEST), entry("\ud800"))
    cut, whole, odd = await found(logs)
    assert cut == "é" * (LONGEST // 2) + CUT
    assert whole == "x" * LONGEST
    assert odd == "?"


async def test_what_is_said_is_read_by_who_asks_then(logs: LogStore) -> None:
    for number in range(50):
        logs.append("build:1", f"line {number}")
        text, truncated = await logs.text("build:1")
        assert text.splitlines()[-1] == f"line {number}"
        assert not truncated
    for number in range(1000):
        logs.append("build:1", str(number))
    text, truncated = await logs.text("build:1")
    assert text.splitlines() == [str(number) for number in range(1000)]
    assert truncated


async def test_followers_are_woken_and_told_where_they_are(logs: LogStore) -> None:
    await say(logs, entry("before"))
    status: list[str] = []

    async def ended() -> str | None:
        return status[0] if status else None

    following = logs.follow(STREAM, 1, ended, fresh=True)
    assert await anext(following) == b"id: 1\n\n"
    waiting = asyncio.ensure_future(anext(following))
    await asyncio.sleep(0)
    await say(logs, entry("after"))
    assert await waiting == b'id: 2\ndata: {"text":"after"}\n\n'
    waiting = asyncio.ensure_future(anext(following))
    await asyncio.sleep(0)
    status.append("deleted")
    await logs.forget(STREAM)
    assert await waiting == b'event: end\ndata: {"status":"deleted"}\n\n'
    assert await logs.streams("") == []


async def test_an_id_that_never_was_does_not_hide_what_comes(logs: LogStore) -> None:
    """After a machine's crash, the newest lines that were sent may be stored no more."""
    await say(logs, entry("one"))
    status: list[str] = []

    async def ended() -> str | None:
        return status[0] if status else None

    following = logs.follow(STREAM, 900, ended)
    waiting = asyncio.ensure_future(anext(following))
    await asyncio.sleep(0.05)
    await say(logs, entry("two"))
    assert await waiting == b'id: 2\ndata: {"text":"two"}\n\n'


async def test_a_file_that_is_locked(logs: LogStore, tmp_path: Path) -> None:
    await say(logs, entry("one"))
    other = sqlite3.connect(tmp_path / "logs.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    for number in range(3):
        logs.append("build:1", f"line {number}")
    with pytest.raises(LogsUnavailable, match="locked"):
        await say(logs, entry("two"))
    assert await found(logs) == ["one"]
    await logs.forget(STREAM)
    assert await found(logs) == ["one"]
    other.execute("ROLLBACK")
    other.close()
    await say(logs, entry("two"))
    while not (await logs.text("build:1"))[0]:
        await asyncio.sleep(0.05)
    assert (await logs.text("build:1"))[0] == "line 0\nline 1\nline 2\n"
    assert await found(logs) == ["one", "two"]


async def test_a_disk_that_is_full(logs: LogStore) -> None:
    await say(logs, entry("one"))

    def pages(most: int) -> Callable[[LogFile], object]:
        return lambda file: file._database.execute(f"PRAGMA max_page_count={most}").fetchone()

    await logs._writer.run(pages(1))
    where = Position("b", 1, "b")
    with pytest.raises(LogsUnavailable, match="full"):
        await logs.extend(STREAM, [entry("x" * 1000) for _ in range(100)], "web-0", where)
    assert await logs.position("web-0") == Position()
    await logs._writer.run(pages(1_000_000))
    await logs.extend(STREAM, [entry("two")], "web-0", where)
    assert await found(logs) == ["one", "two"]


async def test_a_file_that_cannot_be_opened(tmp_path: Path) -> None:
    place = tmp_path / "not there yet"
    logs = LogStore(place / "logs.db", Bounds(10, 10_000))
    with pytest.raises(LogsUnavailable):
        await say(logs, entry("one"))
    logs.append("build:1", "kept for later")
    with pytest.raises(LogsUnavailable):
        await logs.text("build:1")
    place.mkdir()
    while not (await logs.text("build:1"))[0]:
        await asyncio.sleep(0.05)
    await say(logs, entry("one"))
    assert await found(logs) == ["one"]
    await logs.aclose()


async def test_readers_go_on_where_they_were(logs: LogStore, tmp_path: Path) -> None:
    assert await logs.position("web-0") == Position()
    where = Position("b", 2, "a")
    await logs.extend(STREAM, [entry("one")], "web-0", where)
    await logs.extend(STREAM, [entry("late")], "web-0", Position("a", 1, "a"))
    assert await logs.position("web-0") == where
    again = LogStore(tmp_path / "logs.db", Bounds(10, 10_000))
    assert await again.position("web-0") == where
    await again.forget_reader("web-0")
    await again.aclose()
    assert await logs.position("web-0") == Position()
