"""Where the services of an organization stand, project by project."""

import msgspec

from barque.http import Answer, Call, Routes
from barque.projects.models import Environment, Project
from barque.projects.states import states_by
from barque.services.latest import TABLES as LATEST
from barque.services.models import Service
from barque.services.place import TABLES as PLACES

routes = Routes("/orgs/{org}")


class ProjectStatus(msgspec.Struct, frozen=True):
    """How many services a project has, by the status of their newest deployment.

    Those that were never deployed are counted as `new`.
    """

    project: str
    services: int
    states: dict[str, int]


class OrganizationStatus(msgspec.Struct, frozen=True):
    """A summary of each project that has services."""

    projects: list[ProjectStatus]


@routes.endpoint("GET", "/status", answer=OrganizationStatus)
async def get_organization_status(call: Call) -> Answer:
    """Show how many services of each project are in which state."""
    org = call.place.org.id

    async def load() -> bytes:
        async with call.platform.database.read() as session:
            found = await states_by(
                session, Project.slug,
                lambda rows: rows.join(Environment, Environment.id == Service.environment_id)
                .join(Project, Project.id == Environment.project_id)
                .where(Project.org_id == org),
            )  # fmt: skip
        return msgspec.json.encode(
            OrganizationStatus([
                ProjectStatus(slug, sum(states.values()), states) for slug, states in found.items()
            ])
        )  # fmt: skip

    cached = call.platform.cache.get(("states", org), (*PLACES, *LATEST), load)
    return Answer(raw=await cached)
