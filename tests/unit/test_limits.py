"""The token buckets, beside a model in fractions, at whatever moments."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from barque.accounts.limits import Buckets

SECOND = 1_000_000_000
MINUTE = 60 * SECOND

limits = st.integers(1, 1_000_000) | st.integers(1, 5)
gaps = st.lists(
    st.integers(0, 2 * MINUTE) | st.integers(0, 50).map(lambda s: s * SECOND) | st.just(0),
    max_size=60,
)


class Clock:
    def __init__(self) -> None:
        self.now = 12345

    def __call__(self) -> int:
        return self.now


class Model:
    """A bucket as textbooks have it."""

    def __init__(self, limit: int, now: int) -> None:
        self.limit, self.tokens, self.at = limit, Fraction(limit), now

    def take(self, now: int) -> bool:
        filled = self.tokens + Fraction((now - self.at) * self.limit, MINUTE)
        self.tokens, self.at = min(Fraction(self.limit), filled), now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


@given(limits, gaps)
def test_a_bucket_is_as_its_model(limit: int, moments: list[int]) -> None:
    clock = Clock()
    buckets, model = Buckets(clock), Model(limit, clock.now)
    for gap in moments:
        clock.now += gap
        # Others come and go, so that who asks nothing is forgotten in between.
        buckets.take("another", 3)
        assert (buckets.take("this", limit) == 0) == model.take(clock.now)


@given(st.integers(1, 5), gaps)
def test_no_window_holds_more_than_its_worth(limit: int, moments: list[int]) -> None:
    clock = Clock()
    buckets, admitted = Buckets(clock), []
    for gap in moments:
        clock.now += gap
        if buckets.take("this", limit) == 0:
            admitted.append(clock.now)
    for first, begun in enumerate(admitted):
        for count, end in enumerate(admitted[first:], start=1):
            assert count <= limit + (end - begun) * limit / MINUTE


@given(limits.filter(lambda limit: limit < 1000), gaps)
def test_the_wait_is_the_shortest_in_whole_seconds(limit: int, moments: list[int]) -> None:
    clock = Clock()
    buckets = Buckets(clock)
    for gap in moments:
        clock.now += gap
        while (wait := buckets.take("this", limit)) == 0:
            pass
        asked = clock.now
        assert buckets.wait("this", limit) == wait
        clock.now = asked + (wait - 1) * SECOND
        assert buckets.wait("this", limit) > 0
        clock.now = asked + wait * SECOND
        assert buckets.wait("this", limit) == 0


@given(limits)
def test_a_fresh_bucket_holds_a_minutes_worth(limit: int) -> None:
    some = min(limit, 500)
    buckets = Buckets(Clock())
    assert [buckets.take("this", some) for _ in range(some)] == [0] * some
    assert buckets.take("this", some) > 0
    assert buckets.take("that", some) == 0


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 20 * SECOND))))
def test_it_forgets_who_does_not_matter(calls: list[tuple[int, int]]) -> None:
    clock = Clock()
    buckets, last = Buckets(clock, size=10), dict[str, int]()
    for name, gap in calls:
        clock.now += gap
        buckets.take(str(name), 1_000_000)
        last[str(name)] = clock.now
        assert len(buckets) <= 10
    clock.now += 2 * MINUTE
    for number in range(12):
        buckets.take(f"new {number}", 1)
    assert len(buckets) <= 10
    assert buckets.wait("new 11", 1) > 0
