"""Which pushes a service is built for."""

import time

import pytest

from barque.github.changes import changed
from barque.github.schemas import Commit, Push, Repository
from barque.services.watching import complaint, touches


def push(*commits: Commit, **more: bool) -> Push:
    after = commits[-1].id if commits else "a"
    found = list(commits) if commits else None
    return Push("refs/heads/main", after, Repository("acme/api"), commits=found, **more)  # type: ignore[arg-type]


def test_every_file_of_every_commit_counts() -> None:
    first = Commit("a", added=["new"], removed=["old"])
    assert changed(push(first, Commit("b", modified=["x/y"]))) == {"new", "old", "x/y"}
    assert changed(push(Commit("a"))) == set()


@pytest.mark.parametrize(
    "unsure",
    [
        push(), push(Commit("a"), created=True), push(Commit("a"), forced=True),
        Push("refs/heads/main", "b", Repository("acme/api"), commits=[Commit("a")]),
        Push("refs/heads/main", "b", Repository("acme/api"), commits=[]),
        push(*(Commit(str(n)) for n in range(20))), push(*(Commit(str(n)) for n in range(2048))),
        push(Commit("a", added=[str(n) for n in range(300)])),
    ],
)  # fmt: skip
def test_what_github_may_not_have_told_is_built(unsure: Push) -> None:
    assert changed(unsure) is None
    assert touches(None, ["nothing"], None)


@pytest.mark.parametrize(
    ("files", "watched", "root", "expected"),
    [
        ({"README.md"}, None, None, True), (set(), None, None, False),
        ({"README.md"}, None, "apps/api", False), ({"apps/api/a.py"}, None, "apps/api", True),
        ({"apps/api2/a.py"}, None, "apps/api", False), ({"x/apps/api/a"}, None, "apps/api", False),
        ({"docs/a"}, ["apps/**"], None, False), ({"apps/a/b"}, ["apps/**"], None, True),
        ({"apps/a.md"}, ["apps/", "!*.md"], None, False), ({"a/b/c.py"}, ["*.py"], None, True),
        ({"a/b/c.py"}, ["/*.py"], None, False), ({"c.py"}, ["/*.py"], None, True),
        ({"a"}, [], None, False), ({"libs/x"}, ["/libs/"], "apps/api", True),
        ({"apps/api/a.py"}, ["/libs/"], "apps/api", False), ({"a"}, ["# a"], None, False),
    ],
)  # fmt: skip
def test_patterns_are_those_of_gitignore(
    files: set[str], watched: list[str] | None, root: str | None, expected: bool
) -> None:
    assert touches(files, watched, root) is expected


def test_no_pattern_takes_for_ever() -> None:
    begun = time.process_time()
    assert not touches({"a" * 200 + "/" + "a" * 2000}, ["*a" * 100 + "b", "**/" * 80 + "x"], None)
    # Python's own regular expressions would be at it for years.
    assert time.process_time() - begun < 30


def test_bad_patterns_are_named() -> None:
    assert complaint(["a", "/b/**", "!c", "[a-z]*"]) is None
    for wrong in ("!", "\\", "[z-a]", "\ud800"):
        assert "at 1" in str(complaint(["a", wrong]))
