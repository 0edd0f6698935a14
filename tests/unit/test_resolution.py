from hypothesis import given
from hypothesis import strategies as st

from barque.config.resolution import SCOPES, Variable, resolve

places = st.sets(st.tuples(st.sampled_from("ABC"), st.sampled_from(SCOPES)))


@given(places, st.randoms())
def test_the_nearest_level_wins_in_any_order(found: set[tuple[str, str]], random) -> None:
    variables = [Variable(n, f"{n}@{s}", False, False, s) for n, s in found]
    random.shuffle(variables)
    resolved = resolve(variables)
    assert [one.variable.name for one in resolved] == sorted({name for name, _ in found})
    for one in resolved:
        mine = [s for s in reversed(SCOPES) if (one.variable.name, s) in found]
        assert [one.variable.scope, *one.overrides] == mine
