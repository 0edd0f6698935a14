"""What became of a service: its deployments, releases and images."""

from typing import Any

from barque.dashboard.inside import SVC
from barque.dashboard.routes import Pages, View
from barque.errors import BarqueError

pages = Pages()


@pages.page(SVC + "/deployments", "deployments.html")
async def deployments(view: View) -> dict[str, Any]:
    """Show a service's deployments."""
    query = {"page": view.query.get("page"), "per_page": 25}
    return {
        "service": await view.api.get(SVC),
        "found": await view.api.get(SVC + "/deployments", query),
    }


@pages.page(SVC + "/deployments/{deployment}", "deployment.html", every=1.0)
async def deployment(view: View) -> dict[str, Any]:
    """Show a deployment step by step, and what it said."""
    return {
        "service": await view.api.get(SVC),
        "deployment": await view.api.get(SVC + "/deployments/{deployment}"),
        "log": await view.api.get(SVC + "/deployments/{deployment}/log"),
    }


@deployment.form("cancel")
async def cancel_deployment(view: View) -> str:
    """Cancel a deployment."""
    await view.api.send("POST", SVC + "/deployments/{deployment}/cancel")
    return view.here


@pages.page(SVC + "/images", "images.html")
async def images(view: View) -> dict[str, Any]:
    """Show a service's images."""
    query = {"page": view.query.get("page"), "per_page": 25}
    return {
        "service": await view.api.get(SVC),
        "found": await view.api.get(SVC + "/images", query),
    }


@images.form("build")
async def build(view: View) -> str:
    """Build a branch, tag or commit, or the default."""
    made = await view.api.send("POST", SVC + "/images/build", view.filled("ref"))
    return f"{view.here}/{made['version']}"


@pages.page(SVC + "/images/{version}", "image.html", every=1.0)
async def image(view: View) -> dict[str, Any]:
    """Show an image and its build log."""
    return {
        "service": await view.api.get(SVC),
        "image": await view.api.get(SVC + "/images/{version}"),
        "log": await view.api.get(SVC + "/images/{version}/log"),
    }


@image.form("cancel")
async def cancel_build(view: View) -> str:
    """Cancel a build."""
    await view.api.send("POST", SVC + "/images/{version}/cancel")
    return view.here


@pages.page(SVC + "/releases", "releases.html")
async def releases(view: View) -> dict[str, Any]:
    """Show a service's newest releases."""
    return {
        "service": await view.api.get(SVC),
        "releases": await view.api.get(SVC + "/releases"),
    }


@pages.page(SVC + "/releases/{version}", "release.html")
async def release(view: View) -> dict[str, Any]:
    """Show a release, and what differs from another."""
    found = await view.api.get(SVC + "/releases/{version}")
    others = await view.api.get(SVC + "/releases")
    base = view.query.get("base") or str(found["version"] - 1)
    differs, problem = None, None
    if base != "0":
        try:
            differs = await view.api.get(SVC + "/releases/{version}/diff/{base}", base=base)
        except BarqueError as error:
            problem = error.message
    return {
        "service": await view.api.get(SVC), "release": found, "base": base, "differs": differs,
        "no_diff": problem, "others": [one["version"] for one in others],
        "log": await view.api.get(SVC + "/releases/{version}/log"),
    }  # fmt: skip
