"""Which services of a project a question is about."""

from typing import Any

import msgspec

from barque.http import Call
from barque.projects.models import Environment
from barque.services.models import Service
from barque.services.place import Place


class PipelineQuery(msgspec.Struct, frozen=True):
    """Of which service, and of which environment."""

    service: str | None = None
    env: str | None = None


def of_project(rows: Any, place: Place, query: Any) -> Any:
    """Narrow rows that hold services to a project, and to what was asked for."""
    rows = rows.join(Environment, Environment.id == Service.environment_id)
    rows = rows.where(Environment.project_id == place.project.id)
    if query.env is not None:
        rows = rows.where((Environment.slug == query.env) | (Environment.id == query.env))
    if query.service is not None:
        rows = rows.where((Service.slug == query.service) | (Service.id == query.service))
    return rows


async def chosen(call: Call, query: Any) -> None:
    """Raise `NotFound` for an environment or service that is not there."""
    if query.env is not None:
        path = {**call.path, "env": query.env}
        if query.service is not None:
            path["svc"] = query.service
        await call.platform.places.find(call.actor, path)
