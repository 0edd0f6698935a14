"""Pages of organizations, their members and audit log, and of the caller's keys."""

from typing import Any

from barque.dashboard.inside import ORG
from barque.dashboard.routes import Pages, View
from barque.dashboard.settings import offer_deletion, offer_rename

pages = Pages()


@pages.page("/", "orgs.html")
async def orgs(view: View) -> dict[str, Any]:
    """Show the caller's organizations."""
    return {"orgs": await view.api.get("/orgs")}


@orgs.form("create")
async def create_org(view: View) -> str:
    """Make an organization."""
    made = await view.api.send("POST", "/orgs", view.filled("name"))
    return f"/orgs/{made['slug']}"


@pages.page(ORG, "org.html")
async def org(view: View) -> dict[str, Any]:
    """Show an organization: its projects with their services' states, and what happened last."""
    return {
        "org": await view.api.get(ORG),
        "projects": await view.api.get(ORG + "/projects"),
        "states": {
            one["project"]: one for one in (await view.api.get(ORG + "/status"))["projects"]
        },
        "audit": await view.api.get(ORG + "/audit", {"per_page": 8}),
    }


@org.form("create")
async def create_project(view: View) -> str:
    """Make a project."""
    made = await view.api.send("POST", ORG + "/projects", view.filled("name"))
    return f"/orgs/{view.path['org']}/projects/{made['slug']}"


@pages.page(ORG + "/members", "members.html")
async def members(view: View) -> dict[str, Any]:
    """Show who belongs to an organization, and as what."""
    return {"members": await view.api.get(ORG + "/members")}


@members.form("add")
async def add_member(view: View) -> str:
    """Add a member."""
    await view.api.send("POST", ORG + "/members", view.filled("email", "role"))
    return f"{view.here}?said=added"


@members.form("change")
async def change_member(view: View) -> str:
    """Change a member's role."""
    user = view.form.get("user", "")
    await view.api.send("PATCH", ORG + "/members/{user}", view.filled("role"), user=user)
    return f"{view.here}?said=saved"


@members.form("remove")
async def remove_member(view: View) -> str:
    """Remove a member."""
    await view.api.remove(ORG + "/members/{user}", user=view.form.get("user", ""))
    return f"{view.here}?said=removed"


@pages.page(ORG + "/audit", "audit.html")
async def audit(view: View) -> dict[str, Any]:
    """Show what changed in an organization."""
    query = {"page": view.query.get("page"), "per_page": 50}
    return {"audit": await view.api.get(ORG + "/audit", query)}


@pages.page("/keys", "keys.html")
async def keys(view: View) -> dict[str, Any]:
    """Show the caller's API keys."""
    owners = await view.api.get("/orgs")
    slugs = {one["id"]: one["slug"] for one in owners}
    own = await view.api.get("/api-keys")
    return {"keys": own, "orgs": owners, "slugs": slugs, "new_key": None}


@keys.form("create")
async def create_key(view: View) -> dict[str, Any]:
    """Make a key, which is shown this once."""
    body = view.filled("name", "scope", "org", "user")
    if (day := view.form.get("expires_on", "").strip()) != "":
        body["expires_at"] = f"{day}T00:00:00Z"
    return {"new_key": await view.api.send("POST", "/api-keys", body)}


@keys.form("revoke")
async def revoke_key(view: View) -> str:
    """Revoke a key; the one that the caller is signed in with signs them out."""
    await view.api.remove("/api-keys/{key}", key=view.form.get("key", ""))
    return "/keys?said=revoked"


@pages.page(ORG + "/settings", "org_settings.html", every=0)
async def org_settings(view: View) -> dict[str, Any]:
    """Show what can be changed of an organization."""
    return {"org": await view.api.get(ORG)}


offer_rename(org_settings, ORG)
offer_deletion(org_settings, ORG, cascade="true")
