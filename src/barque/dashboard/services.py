"""The first page of a service, its settings, and what it writes."""

from contextlib import suppress
from typing import Any

from barque.dashboard.inside import SVC
from barque.dashboard.plots import PAUSE
from barque.dashboard.routes import Pages, View
from barque.dashboard.settings import offer_deletion, offer_saving
from barque.errors import Conflict
from barque.unavailable import UNAVAILABLE

pages = Pages()


@pages.page(SVC, "service.html", every=PAUSE / 2)
async def service(view: View) -> dict[str, Any]:
    """Show a service: what serves, the last deployment step by step, and what runs."""
    found = await view.api.get(SVC)
    deployments = await view.api.get(SVC + "/deployments", {"per_page": 6})
    return {
        "service": found,
        "deployments": deployments["items"],
        "processes": await _processes(view),
        "courses": view.plots.of(view.place.svc.id),
        **await _next(view),
    }


async def _processes(view: View) -> list[Any] | None:
    """Return what runs; for a page that is loaded only what is known without measuring.

    Whoever watches gets the rest soon; to measure takes longer than a page may.
    """
    service = view.place.svc.id
    if view.watching:
        view.plots.refresh(service, lambda: view.api.get(SVC + "/processes"))
    elif "measure" in view.query:
        with suppress(*UNAVAILABLE):
            view.plots.note(service, await view.api.get(SVC + "/processes"))
    return view.plots.last(service)


async def _next(view: View) -> dict[str, Any]:
    """Return what a deployment would change, or why there can be none."""
    try:
        return {"next": await view.api.get(SVC + "/deploy/preview"), "not_yet": ""}
    except Conflict as reason:
        return {"next": None, "not_yet": reason.message}


@pages.page(SVC + "/settings", "service_settings.html")
async def settings(view: View) -> dict[str, Any]:
    """Show what can be changed of a service."""
    service = await view.api.get(SVC)
    return {
        "service": service, "values": view.values(service, _fields),
        "platforms": await view.api.get("/platforms"),
    }  # fmt: skip


def _fields(view: View) -> dict[str, Any]:
    watched = map(str.strip, view.form.get("watch_paths", "").splitlines())
    return {
        **view.filled("name", "platform", "dockerfile", "health_check_path", "update_order"),
        **view.given(
            "github_repository", "image_reference", "root_directory", "auto_deploy_branch"
        ),
        "watch_paths": [one for one in watched if one] or None,
        "deployment_timeout": view.form.get("deployment_timeout"),
    }


def _sound_fields(view: View) -> dict[str, Any]:
    return {**_fields(view), "deployment_timeout": view.number("deployment_timeout")}


offer_saving(settings, SVC, _sound_fields)


@settings.form("lock")
async def lock(view: View) -> str:
    """Stop deployments."""
    await view.api.send("POST", SVC + "/lock", view.filled("reason"))
    return f"{view.here}?said=locked"


@settings.form("unlock")
async def unlock(view: View) -> str:
    """Let deployments go on."""
    await view.api.remove(SVC + "/lock")
    return f"{view.here}?said=unlocked"


offer_deletion(settings, SVC)


@pages.page(SVC + "/logs", "logs.html")
async def logs(view: View) -> dict[str, Any]:
    """Show what the instances wrote, filtered and searched."""
    service = await view.api.get(SVC)
    asked = {name: view.query.get(name, "") for name in ("process", "search", "since", "until")}
    query = {**asked, **{name: _in_utc(asked[name]) for name in ("since", "until")}}
    # Whoever watches has a stream of the lines besides.
    lines = [] if view.watching else await _lines(view, query)
    return {"service": service, "asked": asked, "query": query, "lines": lines}


async def _lines(view: View, query: dict[str, str]) -> Any:
    return (await view.api.get(SVC + "/logs", {**query, "tail": 500}))["lines"]


def _in_utc(moment: str) -> str:
    """Take what a browser's field for moments says, without a zone, as UTC: so all is shown."""
    return f"{moment}Z" if moment and not moment.endswith("Z") else moment
