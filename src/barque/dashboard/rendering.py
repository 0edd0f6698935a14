"""Templates: whole pages, the regions of them that change, and courses of numbers drawn."""

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, meta
from jinja2.runtime import Context
from markupsafe import Markup

from barque.dashboard import assets
from barque.dashboard.moments import ago, duration, percent, size, took
from barque.dashboard.plots import KEPT
from barque.dashboard.stops import stops
from barque.webhooks.service import origin_of

_LIVE = "live_"
_WIDTH, _HEIGHT = 120.0, 28.0


def plot(values: Sequence[float], ceiling: float = 0.0, slots: int = KEPT) -> Markup:
    """Draw a course of numbers, the newest at the right; it is always of one size."""
    most = max([*values, ceiling]) or 1.0
    step = _WIDTH / (slots - 1)
    first = _WIDTH - step * (len(values) - 1)
    points = [
        f"{first + step * index:.1f},{_HEIGHT - 1 - value / most * (_HEIGHT - 2):.1f}"
        for index, value in enumerate(values)
    ]
    line = " ".join(points)
    area = f"{first:.1f},{_HEIGHT:.0f} {line} {_WIDTH:.0f},{_HEIGHT:.0f}" if points else ""
    return Markup(
        '<svg class="plot" viewBox="0 0 {w:.0f} {h:.0f}" preserveAspectRatio="none" '
        'aria-hidden="true" focusable="false"><polygon points="{area}"/>'
        '<polyline points="{line}"/></svg>'
    ).format(w=_WIDTH, h=_HEIGHT, area=area, line=line)


def _made() -> Environment:
    made = Environment(
        loader=PackageLoader("barque.dashboard"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, auto_reload=False,
    )  # fmt: skip
    made.filters.update(ago=ago, size=size, duration=duration, percent=percent, origin=origin_of)
    made.globals.update(asset=assets.address, took=took, plot=plot, stops=stops)
    # Blocks are rendered by themselves as well, where imports of their template are not seen.
    for shared in ("ui", "variables"):
        made.globals[shared] = made.get_template(f"{shared}.html").module
    return made


_TEMPLATES = _made()


def render(template: str, shown: dict[str, Any]) -> bytes:
    """Render a whole page."""
    return _TEMPLATES.get_template(template).render(shown).encode()


def regions(template: str, shown: dict[str, Any]) -> dict[str, str]:
    """Render only what may change while somebody watches: the blocks named `live_...`."""
    context = _TEMPLATES.get_template(template).new_context(shown)
    return {name: "".join(block(context)) for name, block in _live_blocks(template).items()}


@cache
def _live_blocks(template: str) -> dict[str, Callable[[Context], Iterator[str]]]:
    """Return a template's live blocks, and those of what it always extends."""
    found = _TEMPLATES.get_template(template)
    source = Path(str(found.filename)).read_text()
    parent = next(meta.find_referenced_templates(_TEMPLATES.parse(source)), None)
    return {
        **(_live_blocks(parent) if parent is not None else {}),
        **{
            name.removeprefix(_LIVE): block
            for name, block in found.blocks.items()
            if name.startswith(_LIVE)
        },
    }
