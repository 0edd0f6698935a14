"""The config pages of the four levels: what is set here, and where a service's values come from."""

from typing import Any

from barque.dashboard.inside import ENV, ORG, PROJECT, SVC
from barque.dashboard.routes import Page, Pages, View

pages = Pages()


_LEVELS = {ORG: "in_org.html", PROJECT: "in_project.html", ENV: "in_env.html"}


def _declare(level: str, parent: str) -> None:
    async def show(view: View) -> dict[str, Any]:
        return {"own": await view.api.get(level + "/config"), "parent": parent}

    _offer_changes(pages.page(level + "/config", "config.html")(show), level)


@pages.page(SVC + "/config", "service_config.html")
async def service_config(view: View) -> dict[str, Any]:
    """Show a service's own config, and what it sees of all levels."""
    return {
        "service": await view.api.get(SVC),
        "own": await view.api.get(SVC + "/config"),
        "resolved": await view.api.get(SVC + "/config/resolved"),
    }


def _offer_changes(page: Page, level: str) -> None:
    @page.form("set")
    async def set_variable(view: View) -> str:
        body = {
            **view.filled("name"), "value": view.form.get("value", ""),
            "secret": view.checked("secret"), "buildtime": view.checked("buildtime"),
        }  # fmt: skip
        await view.api.send("POST", level + "/config", body)
        return f"{view.here}?said=set"

    @page.form("change")
    async def change_variable(view: View) -> str:
        body: dict[str, Any] = {"buildtime": view.checked("buildtime")}
        # A secret is never shown: left empty, it stays what it is.
        if view.form.get("value") or not view.checked("was_secret"):
            body["value"] = view.form.get("value", "")
        if view.checked("secret") != view.checked("was_secret"):
            body["secret"] = view.checked("secret")
        await view.api.send(
            "PATCH", level + "/config/{config_id}", body, config_id=view.form.get("id", "")
        )
        return f"{view.here}?said=set"

    @page.form("delete")
    async def delete_variable(view: View) -> str:
        await view.api.remove(level + "/config/{config_id}", config_id=view.form.get("id", ""))
        return f"{view.here}?said=removed"

    @page.form("bulk")
    async def set_many(view: View) -> str:
        body = {"raw": view.form.get("raw", ""), "secret": view.checked("secret")}
        await view.api.send("POST", level + "/config/bulk", body)
        return f"{view.here}?said=set"


for _level, _parent in _LEVELS.items():
    _declare(_level, _parent)
_offer_changes(service_config, SVC)
