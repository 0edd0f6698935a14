import pytest
from hypothesis import given
from hypothesis import strategies as st

from barque.plans.versions import choose

PYTHONS = ["3.13", "3.12", "3.11", "3.9"]
NODES = ["22", "20", "18"]


@pytest.mark.parametrize(
    ("offered", "wanted", "chosen"),
    [
        (PYTHONS, "3.12", "3.12"), (PYTHONS, "3.12.7", "3.12"), (PYTHONS, "3.10.1", None),
        (PYTHONS, ">=3.9", "3.13"), (PYTHONS, ">=3.9,<3.13", "3.12"), (PYTHONS, "==3.11.*", "3.11"),
        (PYTHONS, "~=3.11", "3.13"), (PYTHONS, "~=3.11.4", "3.11"), (PYTHONS, "^3.9", "3.13"),
        (PYTHONS, "~3.9", "3.9"), (PYTHONS, ">=3.9, !=3.13.*, <4", "3.12"), (PYTHONS, "*", "3.13"),
        (PYTHONS, ">=3.9,!=3.13.0", "3.13"), (PYTHONS, "!=3.13", "3.12"), (PYTHONS, "<3.9", None),
        (PYTHONS, "3", "3.13"), (PYTHONS, ">3.11,<=3.12", "3.12"), (PYTHONS, "==3.9", "3.9"),
        (NODES, "18.x", "18"), (NODES, "^18 || ^20", "20"), (NODES, ">= 18.0.0 < 21", "20"),
        (NODES, "16 - 20", "20"), (NODES, "v20.11.1", "20"), (NODES, "~20.1", "20"),
        (NODES, "20.x.x", "20"), (NODES, "^16", None), (NODES, ">18", "22"), (NODES, "", "22"),
        (NODES, ">=20.0.0-rc.1", "22"), (NODES, "^0.1.0", None), (NODES, "X", "22"),
        (["1.24"], ">=1.22.3", "1.24"), (["1.24"], ">=1.25", None), ([""], ">=3", ""),
    ],
)  # fmt: skip
def test_choice(offered: list[str], wanted: str, chosen: str | None) -> None:
    assert choose(offered, wanted) == chosen


@pytest.mark.parametrize(
    "wanted", ["lts/*", "pypy3.10-7.3", "latest", ">=", "3.12 && 1", "9" * 300]
)
def test_what_is_no_version(wanted: str) -> None:
    with pytest.raises(ValueError, match="version"):
        choose(PYTHONS, wanted)


@given(st.text(alphabet="0123456789.xX*^~=<>!|, -v+ab", max_size=60) | st.text(max_size=60))
def test_any_text_is_a_range_or_a_complaint(wanted: str) -> None:
    try:
        chosen = choose(PYTHONS, wanted)
    except ValueError:
        return
    assert chosen is None or chosen in PYTHONS


numbers = st.tuples(st.integers(0, 30), st.integers(0, 30), st.integers(0, 30))


@given(numbers, numbers)
def test_comparisons_agree_with_the_order_of_versions(
    offered: tuple[int, int, int], bound: tuple[int, int, int]
) -> None:
    version, limit = (".".join(map(str, one)) for one in (offered, bound))
    for operator, admitted in {
        ">=": offered >= bound, "<": offered < bound, ">": offered > bound,
        "<=": offered <= bound, "==": offered == bound,
    }.items():  # fmt: skip
        assert (choose([version], f"{operator}{limit}") == version) == admitted, operator


@given(st.lists(st.sampled_from(PYTHONS), min_size=1, unique=True), st.sampled_from(PYTHONS))
def test_a_union_admits_what_either_part_does(parts: list[str], version: str) -> None:
    assert choose([version], " || ".join(parts)) == (version if version in parts else None)
