"""Which of the versions on offer fits what a repository asks for.

One reading serves Python's specifiers, npm's ranges and Poetry's constraints: each becomes a union
of half-open intervals, and a version on offer, such as `3.13` or `20`, is the interval of all
releases that it may stand for.
"""

import re
from collections.abc import Iterable, Sequence

Number = tuple[int, int, int]
Interval = tuple[Number, Number]

_LENGTH_LIMIT = 200
_END: Number = (10**9, 0, 0)
_ALL: list[Interval] = [((0, 0, 0), _END)]
_PART = r"(?:\d{1,6}|[xX*])"
_VERSION = rf"v?{_PART}(?:\.{_PART})*(?:[-+a-z][0-9A-Za-z.+-]*)?"
_HYPHEN = re.compile(rf"\s*({_VERSION})\s+-\s+({_VERSION})\s*")
_COMPARATOR = re.compile(rf"[\s,]*(\^|~=|~>?|>=|<=|===?|!=|>|<|=)?\s*({_VERSION})")


def choose(offered: Iterable[str], wanted: str) -> str | None:
    """Return the first version on offer that `wanted` admits, or None.

    Raises `ValueError` when `wanted` is no version and no range of any.
    """
    if len(wanted) > _LENGTH_LIMIT:
        raise ValueError(f"a range of versions has at most {_LENGTH_LIMIT} characters")
    ranges = _union(wanted)
    for version in offered:
        if _meet([_interval(_numbers(version))], ranges):
            return version
    return None


def _union(text: str) -> list[Interval]:
    found: list[Interval] = []
    for part in re.split(r"\|\|?", text):
        found += _intersection(part)
    return found


def _intersection(text: str) -> list[Interval]:
    if hyphen := _HYPHEN.fullmatch(text):
        return [(_low(_numbers(hyphen[1])), _interval(_numbers(hyphen[2]))[1])]
    ranges, position = _ALL, 0
    rest = text.strip().rstrip(",")
    while position < len(rest):
        match = _COMPARATOR.match(rest, position)
        if match is None:
            raise ValueError(f"'{text.strip()[:80]}' is not a version, nor a range of versions")
        ranges = _meet(ranges, _comparator(match[1] or "=", _numbers(match[2])))
        position = match.end()
    return ranges


def _comparator(operator: str, numbers: Sequence[int]) -> list[Interval]:
    """Return what one comparator admits; a version of fewer parts stands for all below it."""
    low, (start, end) = _low(numbers), _interval(numbers)
    after = {
        ">": (end, _END), ">=": (low, _END), "<": ((0, 0, 0), low), "<=": ((0, 0, 0), end),
        "^": (low, _caret(numbers)), "~=": (low, _interval(numbers[:-1])[1]),
        "~": (low, _interval(numbers[:2])[1]), "~>": (low, _interval(numbers[:2])[1]),
    }  # fmt: skip
    if operator == "!=":
        # One patch less leaves the rest of its minor version.
        return _ALL if len(numbers) > 2 else [((0, 0, 0), start), (end, _END)]
    return [after.get(operator, (start, end))]


def _caret(numbers: Sequence[int]) -> Number:
    """Return the end of what is compatible: the first number that is not 0 stays."""
    for index, number in enumerate(numbers):
        if number:
            return _interval(numbers[: index + 1])[1]
    return _interval(numbers)[1]


def _numbers(version: str) -> tuple[int, ...]:
    """Return up to three leading numbers, without what follows a wildcard."""
    numbers: list[int] = []
    for part in re.split(r"[-+a-z]", version.lstrip("v"), maxsplit=1)[0].split(".")[:3]:
        if not part.isdigit():
            break
        numbers.append(int(part))
    return tuple(numbers)


def _low(numbers: Sequence[int]) -> Number:
    padded = [*numbers, 0, 0, 0]
    return (padded[0], padded[1], padded[2])


def _interval(numbers: Sequence[int]) -> Interval:
    if not numbers:
        return _ALL[0]
    return _low(numbers), _low([*numbers[:-1], numbers[-1] + 1])


def _meet(these: Sequence[Interval], those: Sequence[Interval]) -> list[Interval]:
    pairs = ((max(a, c), min(b, d)) for a, b in these for c, d in those)
    return [(low, high) for low, high in pairs if low < high]
