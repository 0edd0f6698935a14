"""Pages of projects and environments."""

import time
from typing import Any

from barque.dashboard.inside import ENV, PROJECT
from barque.dashboard.routes import Pages, View
from barque.dashboard.settings import offer_deletion, offer_rename, offer_saving

pages = Pages()

_STATUS = PROJECT + "/pipeline/status"
_PER_PAGE = 50
# Of a project's services, on its own page.
_FIRST = 20


@pages.page(PROJECT, "project.html")
async def project(view: View) -> dict[str, Any]:
    """Show a project: its environments, how its pipeline does, and what it did last."""
    status = await view.api.get(_STATUS, {"page": 1, "per_page": _FIRST})
    return {
        "project": await view.api.get(PROJECT),
        "envs": await view.api.get(PROJECT + "/envs"),
        "states": {one["env"]: one for one in status["environments"]},
        "services": status["services"],
        "total": sum(one["services"] for one in status["environments"]),
        "metrics": await _figures(view),
        "history": await view.api.get(PROJECT + "/pipeline/history", {"per_page": 12}),
    }


async def _figures(view: View) -> Any:
    """Return how the pipeline did, as of a minute ago at most: to count takes a while."""
    minute = int(time.monotonic() // 60)
    key = ("figures", view.place.project.id, minute)
    return await view.platform.cache.get(
        key, (), lambda: view.api.get(PROJECT + "/pipeline/metrics")
    )


@project.form("create")
async def create_env(view: View) -> str:
    """Make an environment."""
    body = {**view.filled("name", "env_type"), "protected": view.checked("protected")}
    made = await view.api.send("POST", PROJECT + "/envs", body)
    return f"{view.here}/envs/{made['slug']}"


@pages.page(ENV, "env.html")
async def env(view: View) -> dict[str, Any]:
    """Show an environment, with the state of each service."""
    page = view.query.get("page") or "1"
    query = {
        "env": view.path["env"], "search": view.query.get("search"),
        "page": page, "per_page": _PER_PAGE,
    }  # fmt: skip
    status = await view.api.get(_STATUS, query)
    found: Any = next(iter(status["environments"]), {"services": 0, "states": {}})
    return {
        "env": await view.api.get(ENV),
        "services": status["services"],
        "states": found["states"],
        "pagination": {
            "page": int(page), "pages": -(-found["services"] // _PER_PAGE),
            "total": found["services"],
        },
        "platforms": await view.api.get("/platforms"),
    }  # fmt: skip


@env.form("create")
async def create_service(view: View) -> str:
    """Make a service."""
    body = view.filled(
        "name", "platform", "github_repository", "image_reference", "auto_deploy_branch"
    )
    made = await view.api.send("POST", ENV + "/services", body)
    return f"{view.here}/services/{made['slug']}"


@pages.page(PROJECT + "/settings", "project_settings.html", every=0)
async def project_settings(view: View) -> dict[str, Any]:
    """Show what can be changed of a project."""
    return {"project": await view.api.get(PROJECT)}


offer_rename(project_settings, PROJECT)
offer_deletion(project_settings, PROJECT, cascade="true")


@pages.page(ENV + "/settings", "env_settings.html", every=0)
async def env_settings(view: View) -> dict[str, Any]:
    """Show what can be changed of an environment."""
    env = await view.api.get(ENV)
    return {"env": env, "values": view.values(env, _fields)}


def _fields(view: View) -> dict[str, Any]:
    return {
        **view.filled("name", "env_type"), **view.given("auto_deploy_branch"),
        "protected": view.checked("protected"), "previews": view.checked("previews"),
        "previews_from_forks": view.checked("previews_from_forks"),
    }  # fmt: skip


offer_saving(env_settings, ENV, _fields)
offer_deletion(env_settings, ENV, cascade="true")
