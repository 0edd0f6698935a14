"""What differs between releases, or would after a deployment, for people and programs."""

from barque.cli.output import show
from barque.client.shapes import ReleaseDiff


def show_differences(found: ReleaseDiff, nothing: str) -> None:
    """Show what differs, a row for each property, process type and config variable."""
    properties = [(one["name"], one) for one in found["properties"]]
    processes = [(f"process {one['name']}", one) for one in found["processes"]]
    rows = [
        {"what": what, "change": _kind(one["before"], one["after"]), "before": one["before"],
         "after": one["after"]}
        for what, one in (*properties, *processes)
    ] + [
        {"what": f"config {one['name']}", "change": one["change"], "before": None,
         "after": f"set at the level {one['scope']}"}
        for one in found["config"]
    ]  # fmt: skip
    show(rows, ("what", "change", "before", "after"), nothing)


def _kind(before: str | None, after: str | None) -> str:
    if before is None:
        return "added"
    return "removed" if after is None else "changed"
