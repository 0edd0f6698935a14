"""Pages that do something to a service: each first shows what it would change."""

from typing import Any

from barque.dashboard.inside import PROJECT, SVC
from barque.dashboard.routes import Pages, View
from barque.errors import Conflict
from barque.processes.instances import counts_of

pages = Pages()


def _to(view: View, made: Any) -> str:
    return f"{view.service_at}/deployments/{made['deployment_id']}"


async def _preview(view: View, verb: str, name: str) -> dict[str, Any]:
    try:
        found = await view.api.get(f"{SVC}/{verb}/preview", {name: view.query.get(name)})
    except Conflict as reason:
        return {"differs": None, "not_yet": reason.message}
    return {"differs": found, "not_yet": ""}


@pages.page(SVC + "/deploy", "deploy.html")
async def deploy(view: View) -> dict[str, Any]:
    """Show what a deployment would change."""
    service = await view.api.get(SVC)
    return {"service": service, **await _preview(view, "deploy", "image_version")}


@deploy.form("deploy")
async def begin_deploy(view: View) -> str:
    """Deploy."""
    return _to(view, await view.api.send("POST", SVC + "/deploy", _numbers(view, "image_version")))


@pages.page(SVC + "/build-and-deploy", "build_and_deploy.html")
async def build_and_deploy(view: View) -> dict[str, Any]:
    """Show what is built and deployed in one."""
    return {"service": await view.api.get(SVC)}


@build_and_deploy.form("deploy")
async def begin_pipeline(view: View) -> str:
    """Build, release and deploy in one."""
    body = {"service": view.path["svc"], "env": view.path["env"], **view.filled("ref")}
    return _to(view, await view.api.send("POST", PROJECT + "/pipeline/deploy", body))


@pages.page(SVC + "/rollback", "rollback.html")
async def rollback(view: View) -> dict[str, Any]:
    """Show what going back would change."""
    return {
        "service": await view.api.get(SVC),
        "releases": await view.api.get(SVC + "/releases"),
        **await _preview(view, "rollback", "release_version"),
    }


@rollback.form("rollback")
async def begin_rollback(view: View) -> str:
    """Go back."""
    body = _numbers(view, "release_version")
    return _to(view, await view.api.send("POST", SVC + "/rollback", body))


@pages.page(SVC + "/scale", "scale.html")
async def scale(view: View) -> dict[str, Any]:
    """Show how many instances of each process type there are to be."""
    service = await view.api.get(SVC)
    images = await view.api.get(SVC + "/images")
    built = (one["processes"] for one in images["items"] if one["status"] == "built")
    counts = service["process_counts"]
    return {"service": service, "counts": counts_of(next(built, counts), counts)}


@scale.form("scale")
async def begin_scale(view: View) -> str:
    """Scale."""
    counts = {name: view.number(name) for name in view.form if name.startswith("count.")}
    body = {"process_counts": {k.removeprefix("count."): count for k, count in counts.items()}}
    await view.api.send("POST", SVC + "/scale", body)
    return f"{view.service_at}?said=scaled"


@pages.page(SVC + "/restart", "restart.html")
async def restart(view: View) -> dict[str, Any]:
    """Show what a restart does."""
    return {"service": await view.api.get(SVC)}


@restart.form("restart")
async def begin_restart(view: View) -> str:
    """Replace every instance."""
    return _to(view, await view.api.send("POST", SVC + "/restart"))


@pages.page(SVC + "/promote", "promote.html")
async def promote(view: View) -> dict[str, Any]:
    """Show what would change in another environment."""
    envs = [one["slug"] for one in await view.api.get(PROJECT + "/envs")]
    targets = [slug for slug in envs if slug != view.place.env.slug]
    to = view.form.get("target_env") or view.query.get("to", "")
    preview = None
    if to in targets:
        preview = await view.api.get(PROJECT + "/promote/preview", _promotion(view, to))
    return {
        "service": await view.api.get(SVC), "targets": targets, "to": to, "preview": preview,
    }  # fmt: skip


@promote.form("promote")
async def begin_promotion(view: View) -> str:
    """Deploy there what is live here."""
    to = view.form.get("target_env", "")
    made = await view.api.send("POST", PROJECT + "/promote", _promotion(view, to))
    path = view.path
    return (
        f"/orgs/{path['org']}/projects/{path['project']}/envs/{to}/services/{path['svc']}"
        f"/deployments/{made['deployment_id']}"
    )


def _promotion(view: View, to: str) -> dict[str, str]:
    return {"service": view.path["svc"], "source_env": view.path["env"], "target_env": to}


def _numbers(view: View, name: str) -> dict[str, int]:
    return {name: view.number(name)} if view.form.get(name) else {}
