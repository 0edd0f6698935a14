"""What is wrong with a request is said to who wrote it, not in the words of Python."""

import msgspec
import pytest

from barque.bodies import convert, decode, field_error
from barque.errors import Invalid


@pytest.mark.parametrize(
    ("complaint", "said"),
    [
        ("Expected `int` <= 100 - at `$.count`", "must be at most 100"),
        ("Expected `int` >= 1 - at `$.count`", "must be at least 1"),
        ("Expected `str` of length >= 1 - at `$.count`", "must not be empty"),
        ("Expected `str` of length <= 9 - at `$.count`", "must have at most 9 characters"),
        ("Invalid enum value 'king' - at `$.count`", "cannot be 'king'"),
        ("Expected `str` matching regex '^/' - at `$.count`", "must match '^/'"),
        ("Invalid RFC3339 encoded datetime - at `$.count`",
         "must be a moment, as 2026-11-24T16:00:00Z"),
        ("Expected `datetime` with a timezone component - at `$.count`",
         "must have a time zone: end it with Z"),
        ("Expected `int`, got `str` - at `$.count`", "expected `int`, got `str`"),
    ],
)  # fmt: skip
def test_complaints(complaint: str, said: str) -> None:
    error = field_error(complaint)
    assert (error.field, error.message) == ("count", said)


class Order(msgspec.Struct, forbid_unknown_fields=True):
    image: str = ""
    count: int = 1
    inside: "Order | None" = None


def test_a_field_that_there_is_not() -> None:
    known = "is not a field of this request, which has image, count, inside"
    for refused in (lambda: decode(b'{"imago": 1}', Order), lambda: convert({"imago": "1"}, Order)):
        with pytest.raises(Invalid) as found:
            refused()
        [error] = found.value.errors
        assert (error.field, error.message) == ("imago", known)
    with pytest.raises(Invalid) as found:
        decode(b'{"inside": {"imago": 1}}', Order)
    [error] = found.value.errors
    assert (error.field, error.message) == ("inside.imago", "is not a field of this request")
