"""Moments and spans as people say them: `10m`, `2h`, `1d`, or RFC 3339."""

import re
from datetime import UTC, datetime, timedelta

_SPAN = re.compile(r"(\d+)([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def span(said: str | None) -> timedelta | None:
    """Read a span, or None for what is none."""
    found = _SPAN.fullmatch(said or "")
    return timedelta(**{_UNITS[found[2]]: int(found[1])}) if found else None


def ago(said: str | None) -> str | None:
    """Return the moment so long ago; what is no span is a moment itself."""
    length = span(said)
    return (datetime.now(UTC) - length).isoformat() if length is not None else said
