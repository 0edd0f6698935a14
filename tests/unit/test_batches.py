from itertools import chain

from hypothesis import given
from hypothesis import strategies as st

from barque.deployments.bring_up import batches
from barque.runtimes.port import ContainerSpec, Limits


def spec(kind: str, index: int) -> ContainerSpec:
    labels = {"barque.process": kind}
    return ContainerSpec(f"u.{kind}-{index}", "i", "n", None, {}, labels, Limits(1, 1, 1))


@given(st.dictionaries(st.sampled_from(["web", "worker", "cron"]), st.integers(0, 100)))
def test_batches_hold_each_once_in_order_a_quarter_at_a_time(counts: dict[str, int]) -> None:
    specs = [spec(kind, index) for kind, count in counts.items() for index in range(count)]
    found = batches(specs)
    assert len(found) <= 4
    assert all(found)
    for kind, count in counts.items():
        mine = [[s.name for s in batch if s.labels["barque.process"] == kind] for batch in found]
        assert list(chain(*mine)) == [f"u.{kind}-{index}" for index in range(count)]
        assert all(len(names) <= -(-count // 4) for names in mine)
