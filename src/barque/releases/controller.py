"""Endpoints of releases (seed: "Releases")."""

from typing import Any

import msgspec

from barque.fields import Moment
from barque.http import Call, Routes
from barque.images.controller import LogView
from barque.releases.diff import ReleaseDiff, diff
from barque.releases.models import Release
from barque.releases.service import recent, release_at, stream_of

routes = Routes("/orgs/{org}/projects/{project}/envs/{env}/services/{svc}/releases")


class ReleaseImage(msgspec.Struct, frozen=True):
    """The image of a release."""

    id: str
    version: int


class FrozenVariable(msgspec.Struct, frozen=True):
    """A config variable of a release: equal values have equal fingerprints."""

    name: str
    scope: str
    secret: bool
    fingerprint: str


class ConfigChanges(msgspec.Struct, frozen=True):
    """The names of what is new in the config of a release."""

    added: list[str]
    removed: list[str]
    changed: list[str]


class ReleaseChanges(msgspec.Struct, frozen=True):
    """What is new since the release before."""

    image: bool
    config: ConfigChanges


class ReleaseView(msgspec.Struct, frozen=True):
    """A release."""

    id: str
    version: int
    image: ReleaseImage
    platform: str
    config_snapshot: list[FrozenVariable]
    changes: ReleaseChanges
    commit_sha: str | None
    health_check_path: str
    processes: dict[str, str]
    status: str
    created: Moment


def _release(row: Release) -> ReleaseView:
    names = [name for name in ReleaseView.__struct_fields__ if name != "image"]
    fields: dict[str, Any] = {name: getattr(row, name) for name in names}
    image = {"id": row.image_id, "version": row.image_version}
    return msgspec.convert({**fields, "image": image}, ReleaseView)


@routes.endpoint("GET", answer=list[ReleaseView])
async def list_releases(call: Call) -> list[ReleaseView]:
    """List the 50 newest releases."""
    async with call.platform.database.read() as session:
        return [_release(row) for row in await recent(session, call.place)]


@routes.endpoint("GET", "/{version}", answer=ReleaseView)
async def get_release(call: Call) -> ReleaseView:
    """Show a release."""
    async with call.platform.database.read() as session:
        return _release(await release_at(session, call.place, call.number("version")))


@routes.endpoint("GET", "/{version}/diff/{base}", answer=ReleaseDiff)
async def diff_releases(call: Call) -> ReleaseDiff:
    """Show what differs from the release `base` to another: image, processes, config by name."""
    async with call.platform.database.read() as session:
        base = await release_at(session, call.place, call.number("base"))
        return diff(base, await release_at(session, call.place, call.number("version")))


@routes.endpoint("GET", "/{version}/log", answer=LogView, errors=(503,))
async def get_release_log(call: Call) -> LogView:
    """Show what a release was made of, and what its release process wrote."""
    async with call.platform.database.read() as session:
        row = await release_at(session, call.place, call.number("version"))
    text, truncated = await call.platform.logs.text(stream_of(row.id))
    return LogView(row.status, row.version, text, truncated)
