"""How moments, times, sizes and shares are written for people."""

from datetime import datetime, timedelta

from markupsafe import Markup

from barque.store.tables import now

_STEPS = ((86_400, "d"), (3600, "h"), (60, "min"))
NOTHING = "\N{EN DASH}"
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def moment(text: str | None) -> datetime | None:
    """Read a moment of an answer of the API."""
    return datetime.fromisoformat(text) if text else None


def ago(text: str | None) -> str:
    """Say how long ago a moment was; it changes once a minute at most."""
    at = moment(text)
    if at is None:
        return NOTHING
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        text, f"{at:%Y-%m-%d %H:%M:%S} UTC", _since(now() - at)
    )


def _since(age: timedelta) -> str:
    for size, unit in _STEPS:
        if age.total_seconds() >= size:
            return f"{int(age.total_seconds() // size)} {unit} ago"
    return "just now"


def took(begun: str | None, ended: str | None = None) -> str:
    """Say how long something took, or takes until now."""
    start = moment(begun)
    if start is None:
        return NOTHING
    seconds = ((moment(ended) or now()) - start).total_seconds()
    return duration(seconds if ended else int(seconds))


def duration(seconds: float | None) -> str:
    """Write seconds as people do."""
    if seconds is None:
        return NOTHING
    if seconds < 60:
        return f"{seconds:.1f} s" if isinstance(seconds, float) else f"{seconds} s"
    minutes, rest = divmod(int(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02} s"
    return f"{minutes // 60} h {minutes % 60:02} min"


def size(count: int | None) -> str:
    """Write a number of bytes."""
    if count is None:
        return NOTHING
    amount, unit = float(count), 0
    while amount >= 1024 and unit < len(_UNITS) - 1:
        amount, unit = amount / 1024, unit + 1
    return f"{amount:.0f} {_UNITS[unit]}" if unit < 2 else f"{amount:.1f} {_UNITS[unit]}"


def percent(share: float | None) -> str:
    """Write a share as a percentage."""
    return NOTHING if share is None else f"{share * 100:.0f} %"
