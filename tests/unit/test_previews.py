"""What a pull request's deliveries come to, in whatever order they come."""

from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from barque.deployments.models import Deployment
from barque.github.models import Preview
from barque.github.previews import next_step
from barque.github.reports import status_of
from barque.github.schemas import Head, PullRequest, PullRequestEvent, Repository
from barque.images.models import Image
from barque.releases.models import Release


def event(action: str, second: int | None, sha: str = "a", before: str | None = None) -> (
    PullRequestEvent
):  # fmt: skip
    moment = None if second is None else f"2026-01-01T00:00:{second:02}Z"
    state = "closed" if action == "closed" else "open"
    repository = Repository("acme/api")
    pull = PullRequest(12, Head(sha, "feature", repository), state, moment)
    return PullRequestEvent(action, pull, repository, before=before)


def carried_out(events: list[PullRequestEvent]) -> tuple[Preview | None, list[str]]:
    """Do as the platform does, without a platform."""
    known: Preview | None = None
    steps = []
    for one in events:
        step = next_step(known, one)
        steps.append(step)
        if step == "ignore":
            continue
        known = known or Preview(number=12)
        known.open = step != "close"
        known.environment_id = "e" if known.open else None
        known.moment = one.pull_request.updated_at or known.moment or ""
        known.head_sha = one.pull_request.head.sha
    return known, steps


def test_in_order() -> None:
    events = [
        event("opened", 1), event("synchronize", 2, "b", "a"), event("synchronize", 2, "b", "a"),
        event("closed", 3, "b"), event("closed", 3, "b"), event("reopened", 4, "b"),
    ]  # fmt: skip
    assert carried_out(events)[1] == ["open", "build", "ignore", "close", "ignore", "open"]


def test_every_order_comes_to_the_same() -> None:
    closed = [
        event("opened", 1), event("synchronize", 2, "b", "a"), event("synchronize", 3, "c", "b"),
        event("closed", 4, "c"),
    ]  # fmt: skip
    opened = [*closed, event("reopened", 5, "c"), event("synchronize", 6, "d", "c")]
    for order in permutations(closed):
        known, _ = carried_out(list(order))
        assert known is not None and not known.open, order
    for order in permutations(opened):
        known, _ = carried_out(list(order))
        assert known is not None and known.open and known.head_sha == "d", order


def test_a_late_push_opens_nothing_that_was_closed() -> None:
    for second in (1, 2, None):
        known, steps = carried_out(
            [event("opened", 1), event("closed", 2), event("synchronize", second, "b", "a")]
        )
        assert known is not None and not known.open
        assert steps[-1] == "ignore"
    # Within one second, a reopening comes after the closing that it reopens.
    assert carried_out([event("opened", 1), event("closed", 2), event("reopened", 2)])[1][-1] == (
        "open"
    )


def test_pushes_of_one_second_are_told_apart_by_what_they_are_made_upon() -> None:
    known, steps = carried_out(
        [event("opened", 1), event("synchronize", 2, "c", "b"), event("synchronize", 2, "b", "a")]
    )
    assert (steps[-1], known and known.head_sha) == ("ignore", "c")


@given(st.lists(st.tuples(
    st.sampled_from(["opened", "reopened", "synchronize", "closed"]), st.integers(0, 9) | st.none(),
    st.sampled_from("abc"),
)))  # fmt: skip
def test_what_was_done_twice_is_done_once(said: list[tuple[str, int | None, str]]) -> None:
    events = [event(action, second, sha) for action, second, sha in said]
    _, steps = carried_out([one for each in events for one in (each, each)])
    assert set(steps[1::2]) <= {"ignore"}


def test_what_github_is_told() -> None:
    release, image = Release(version=3), Image(version=4, status="queued")

    def said(status: str, built: str = "built", detail: str | None = None) -> tuple[str, str]:
        image.status = built
        return status_of(Deployment(status=status, error_detail=detail), release, image)

    assert said("queued", "queued") == ("pending", "waiting to build image 4")
    assert said("queued", "building") == ("pending", "building image 4")
    assert said("checking") == ("pending", "deploying release 3")
    assert said("live")[0] == said("retired")[0] == "success"
    assert said("failed", detail="web ended\nsecond line") == ("failure", "web ended")
    assert len(said("failed", detail="x" * 999)[1]) == 140
    assert said("cancelled")[0] == said("superseded")[0] == "error"
    assert status_of(None, None, None)[0] == "error"
