"""A deployment as a line of stops: which are passed, where it is, and how long each took."""

from typing import Any, NamedTuple

from barque.dashboard.moments import took

_LINE = ("queued", "releasing", "starting", "checking", "switching", "draining", "live")
_ENDED_BADLY = ("failed", "cancelled", "superseded")


class Stop(NamedTuple):
    """One stop: `state` is `done`, `now`, `bad` or `ahead`."""

    name: str
    state: str
    took: str
    message: str


def stops(deployment: Any) -> list[Stop]:
    """Return the line of a deployment."""
    steps = {step["name"]: step for step in deployment["steps"]}
    queued = {"started": deployment["created"], "finished": deployment["started"], "message": ""}
    known = {"queued": queued, **{name: steps[name] for name in _LINE if name in steps}}
    last = [name for name in _LINE if name in known][-1]
    return [_stop(name, known.get(name), name == last, deployment["status"]) for name in _LINE]


def _stop(name: str, step: Any, last: bool, status: str) -> Stop:
    if step is None:
        return Stop(name, "ahead", "", "")
    spent = took(step["started"], step["finished"]) if name != "live" else ""
    if last and status in _ENDED_BADLY:
        return Stop(name, "bad", spent, step["message"])
    under_way = last and name != "live"
    return Stop(name, "now" if under_way else "done", spent, step["message"])
