"""Secrets in what comes bit by bit: masked however it was cut, and held no longer than needed."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from barque.config.masking import MASK, Masker

# Few letters, so that secrets overlap, hold each other, and begin alike.
SECRETS = st.lists(st.text("ab\n", min_size=4, max_size=9), max_size=4)
TEXT = st.text("ab\nx", max_size=60)
CUTS = st.lists(st.integers(0, 60), max_size=8)


def pieces(text: str, cuts: list[int]) -> list[bytes]:
    ends = [0, *sorted(min(one, len(text)) for one in cuts), len(text)]
    return [text[begin:end].encode() for begin, end in pairwise(ends)]


@given(SECRETS, TEXT, CUTS)
def test_a_stream_is_masked_as_the_whole_is(secrets: list[str], text: str, cuts: list[int]) -> None:
    masker = Masker(secrets)
    stream = masker.stream()
    shown = b"".join(stream.feed(one) for one in pieces(text, cuts)) + stream.rest()
    assert shown.decode() == masker.mask(text)
    assert not stream.holds


@given(SECRETS, TEXT, CUTS)
def test_no_secret_is_whole_whenever_it_is_let_go(
    secrets: list[str], text: str, cuts: list[int]
) -> None:
    stream = Masker(secrets).stream()
    shown = b"".join(stream.feed(one) + stream.rest() for one in pieces(text, cuts)).decode()
    assert not [one for one in secrets if one in shown.replace(MASK, "\0")]


def test_only_what_may_be_a_secret_is_held() -> None:
    stream = Masker(["hunter22", "certificate\nof many lines"]).stream()
    assert stream.feed(b"$ hunt") == b"$ "
    assert stream.holds
    assert stream.feed(b"ing\r\n") == b"hunting\r\n"
    assert not stream.holds
    assert stream.feed(b"it is hunter2") == b"it is "
    assert stream.feed(b"2.") == b"********."
    assert stream.feed(b"certificate\r\nof many lines\r\n") == b"********\r\n********\r\n"


def test_what_was_let_go_is_remembered() -> None:
    stream = Masker(["hunter22"]).stream()
    assert stream.feed(b"hun") == b""
    assert stream.rest() == b"hun"
    assert stream.rest() == b""
    assert stream.feed(b"ter22!") == b"********!"
    assert stream.feed(b"hun") == b""
    assert stream.rest() == b"hun"
    assert stream.feed(b"g up") == b"g up"
