from ipaddress import IPv4Network

from hypothesis import given
from hypothesis import strategies as st

from barque.runtimes.subnets import POOL, free_subnets, routed_subnets

routes = st.lists(
    st.builds(
        lambda start, length: IPv4Network((int(POOL[start]), length), strict=False),
        st.integers(0, POOL.num_addresses - 1),
        st.integers(15, 32),
    ),
    max_size=20,
)


@given(st.text(), routes)
def test_offers_are_free_distinct_and_all(name: str, routed: list[IPv4Network]) -> None:
    offers = list(free_subnets(name, routed))
    assert len(set(offers)) == len(offers)
    assert not any(offer.overlaps(route) for offer in offers for route in routed)
    whole = POOL.subnets(new_prefix=23)
    assert set(offers) == {s for s in whole if not any(s.overlaps(r) for r in routed)}


def test_a_default_route_takes_nothing() -> None:
    assert len(list(free_subnets("x", [IPv4Network("0.0.0.0/0")]))) == 512


def test_loopbacks_neighbours_are_read() -> None:
    assert all(isinstance(route, IPv4Network) for route in routed_subnets())
