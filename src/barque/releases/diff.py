"""What differs between two releases, or between what serves and what would be deployed."""

from typing import Any, Literal

import msgspec

from barque.releases.models import Release


class Change(msgspec.Struct, frozen=True):
    """One property, as it was and as it is; null where there was no release."""

    name: str
    before: str | None
    after: str | None


class ConfigChange(msgspec.Struct, frozen=True):
    """A config variable that differs, and where it is set; never its value."""

    name: str
    change: Literal["added", "removed", "changed"]
    scope: str
    secret: bool


class ReleaseDiff(msgspec.Struct, frozen=True):
    """What differs from the release `base` (null: from nothing) to `version`.

    `version` is null for a release that would be made. `properties` are the image's version, the
    commit, the platform and the health check; `processes` are the commands of process types.
    """

    base: int | None
    version: int | None
    image: int
    properties: list[Change]
    processes: list[Change]
    config: list[ConfigChange]


_PROPERTIES = ("image_version", "commit_sha", "platform", "health_check_path")


def diff(base: Release | None, new: Release) -> ReleaseDiff:
    """Compare two releases; equal values of config have equal fingerprints."""
    return ReleaseDiff(
        base.version if base else None, new.version, new.image_version,
        _changed(
            {name: getattr(base, name) for name in _PROPERTIES} if base else {},
            {name: getattr(new, name) for name in _PROPERTIES},
        ),
        _changed(base.processes if base else {}, new.processes),
        _config(base.config_snapshot if base else [], new.config_snapshot),
    )  # fmt: skip


def _changed(before: dict[str, Any], after: dict[str, Any]) -> list[Change]:
    return [
        Change(name, _text(before.get(name)), _text(after.get(name)))
        for name in {**after, **before}
        if before.get(name) != after.get(name)
    ]


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _config(before: list[Any], after: list[Any]) -> list[ConfigChange]:
    old, new = ({one["name"]: one for one in side} for side in (before, after))
    found = []
    for name, one in sorted({**old, **new}.items()):
        kind: Any = "added" if name not in old else "changed" if name in new else "removed"
        if kind != "changed" or old[name]["fingerprint"] != one["fingerprint"]:
            found.append(ConfigChange(name, kind, one["scope"], one["secret"]))
    return found
