"""Pages about the world outside: git credentials, webhooks, and previews of pull requests."""

from typing import Any

from barque.dashboard.inside import ORG, PROJECT
from barque.dashboard.routes import Pages, View
from barque.dashboard.settings import offer_saving
from barque.webhooks.outbox import ALL, EVENTS

pages = Pages()

_HOOKS = ORG + "/webhooks"
_HOOK = _HOOKS + "/{webhook}"


@pages.page(ORG + "/git-credentials", "credentials.html")
async def credentials(view: View) -> dict[str, Any]:
    """Show what opens private repositories."""
    return {"credentials": await view.api.get(ORG + "/git-credentials")}


@credentials.form("add")
async def add_credential(view: View) -> str:
    """Add a git credential."""
    body = view.filled("name", "kind", "host", "value", "repository", "username")
    await view.api.send("POST", ORG + "/git-credentials", body)
    return f"{view.here}?said=added"


@credentials.form("remove")
async def remove_credential(view: View) -> str:
    """Remove a git credential."""
    path = ORG + "/git-credentials/{credential}"
    await view.api.remove(path, credential=view.form.get("credential", ""))
    return f"{view.here}?said=removed"


@pages.page(_HOOKS, "webhooks.html")
async def webhooks(view: View) -> dict[str, Any]:
    """Show who is told of builds and deployments."""
    projects = await view.api.get(ORG + "/projects")
    return {
        "webhooks": await view.api.get(_HOOKS), "known_events": EVENTS, "new_secret": None,
        "projects": {one["id"]: one["slug"] for one in projects},
    }  # fmt: skip


@webhooks.form("create")
async def create_webhook(view: View) -> dict[str, Any]:
    """Make a webhook, whose secret is shown this once."""
    body = {**view.filled("url", "project"), "events": _events(view)}
    return {"new_secret": (await view.api.send("POST", _HOOKS, body))["secret"]}


def _events(view: View) -> list[str]:
    return [name for name in EVENTS if view.checked(f"event.{name}")] or [ALL]


@pages.page(_HOOK, "webhook.html")
async def webhook(view: View) -> dict[str, Any]:
    """Show a webhook, and what became of what was sent to it."""
    found = await view.api.get(_HOOK)
    query = {"page": view.query.get("page"), "per_page": 25}
    return {
        "webhook": found, "values": view.values(found, _fields), "known_events": EVENTS,
        "found": await view.api.get(_HOOK + "/deliveries", query), "new_secret": None,
    }  # fmt: skip


def _fields(view: View) -> dict[str, Any]:
    return {**view.filled("url"), "events": _events(view), "active": view.checked("active")}


offer_saving(webhook, _HOOK, _fields)


@webhook.form("rotate")
async def rotate_webhook(view: View) -> dict[str, Any]:
    """Give a webhook a new secret, shown this once."""
    return {"new_secret": (await view.api.send("POST", _HOOK + "/rotate"))["secret"]}


@webhook.form("ping")
async def ping_webhook(view: View) -> str:
    """Send a webhook an event that tells of nothing."""
    await view.api.send("POST", _HOOK + "/ping")
    return f"{view.here}?said=sent"


@webhook.form("again")
async def redeliver(view: View) -> str:
    """Send an event once more."""
    path = _HOOK + "/deliveries/{delivery}/redeliver"
    await view.api.send("POST", path, delivery=view.form.get("delivery", ""))
    return f"{view.here}?said=sent"


@webhook.form("delete")
async def delete_webhook(view: View) -> str:
    """Delete a webhook, with its deliveries."""
    await view.api.remove(_HOOK)
    return f"{_HOOKS.format(**view.path)}?said=removed"


@pages.page(PROJECT + "/previews", "previews.html")
async def previews(view: View) -> dict[str, Any]:
    """Show the open pull requests that have an environment, and how their services do."""
    status = await view.api.get(PROJECT + "/pipeline/status", {"page": 1, "per_page": 1})
    return {
        "previews": await view.api.get(PROJECT + "/previews"),
        "states": {one["env"]: one["states"] for one in status["environments"]},
    }
