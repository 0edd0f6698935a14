from ipaddress import IPv4Network

from hypothesis import given
from hypothesis import strategies as st

from barque.runtimes.subnets import (
    POOL,
    dynamic_range,
    free_subnets,
    next_address,
    routed_subnets,
)

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


def test_addresses_go_round_and_end() -> None:
    subnet = IPv4Network("10.212.2.0/23")
    taken: set[str] = set()
    last = None
    while (last := next_address(subnet, taken, last)) is not None:
        taken.add(last)
    assert len(taken) == 512 - 64 - 2
    assert not any(IPv4Network(one).overlaps(dynamic_range(subnet)) for one in taken)
    taken.remove("10.212.2.9")
    assert next_address(subnet, taken, "10.212.2.9") == "10.212.2.9"
    taken.remove("10.212.2.5")
    assert next_address(subnet, taken, "10.212.2.5") == "10.212.2.9"
