"""Whose build is next."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from barque.images.queue import Waiting, in_order

ORGS = st.sampled_from("abcdef")
QUEUES = st.lists(ORGS, max_size=60).map(
    lambda orgs: [Waiting(f"{number:04}", org) for number, org in enumerate(orgs)]
)
COUNTS = st.dictionaries(ORGS, st.integers(0, 5))


def first_ones(ordered: list[Waiting]) -> str:
    return " ".join(f"{one.org_id}{int(one.id)}" for one in ordered)


def test_one_of_each_in_turn() -> None:
    many = [Waiting(f"{number:04}", "a") for number in range(5)]
    late = [Waiting("0005", "b"), Waiting("0006", "c"), Waiting("0007", "b")]
    assert first_ones(in_order(many + late, {}, {})) == "a0 b5 c6 a1 b7 a2 a3 a4"
    # Who runs more waits longer, and so does who was served last.
    assert first_ones(in_order(many + late, {"a": 2, "b": 1}, {})) == "c6 b5 a0 b7 a1 a2 a3 a4"
    assert first_ones(in_order(many + late, {}, {"a": 1, "b": 2}))[:8] == "c6 a0 b5"


def test_what_was_cut_off_goes_first() -> None:
    queue = [Waiting("1", "b"), Waiting("2", "a"), Waiting("3", "a", begun=True)]
    assert first_ones(in_order(queue, {}, {})) == "a3 b1 a2"


@given(QUEUES, COUNTS, COUNTS)
def test_nobody_is_lost_and_none_overtakes_their_own(
    queue: list[Waiting], running: dict[str, int], served: dict[str, int]
) -> None:
    ordered = in_order(queue, running, served)
    assert sorted(one.id for one in ordered) == [one.id for one in queue]
    for org in set("abcdef"):
        mine = [one.id for one in ordered if one.org_id == org]
        assert mine == sorted(mine)


@given(QUEUES, COUNTS, COUNTS)
def test_none_that_waits_is_passed_by_more_than_one(
    queue: list[Waiting], running: dict[str, int], served: dict[str, int]
) -> None:
    had, left = Counter(running), Counter(one.org_id for one in queue)
    for one in in_order(queue, running, served):
        # Whoever has a turn had no more than any other that waits for one.
        assert all(had[one.org_id] <= had[org] for org in left)
        had[one.org_id] += 1
        left -= Counter([one.org_id])


@given(QUEUES, COUNTS, COUNTS)
def test_the_order_stays_when_the_first_has_its_turn(
    queue: list[Waiting], running: dict[str, int], served: dict[str, int]
) -> None:
    ordered = in_order(queue, running, served)
    if ordered:
        first = ordered[0].org_id
        now = {**running, first: running.get(first, 0) + 1}
        then = {**served, first: max(served.values(), default=0) + 1}
        rest = [one for one in queue if one is not ordered[0]]
        assert in_order(rest, now, then) == ordered[1:]
