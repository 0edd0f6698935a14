"""Plans for static sites: files that are served as they are."""

from barque.plans.plan import Part, Plan
from barque.plans.source import Source

# Where the base image's `serve-static` is to find a site.
FOLDER = "/srv/www"
_FOLDERS = ("", "public", "www", "site", "dist", "build", "out")


def serve(folder: str, fallback: str = "") -> str:
    """Return the command that serves a folder on $PORT.

    `fallback` is the page that answers for every address that has no file.
    """
    return f"exec serve-static {folder} {fallback}".strip()


def plan(source: Source) -> Plan | None:
    """Plan a static site; None when there is no index.html."""
    for folder in _FOLDERS:
        page = f"{folder}/index.html".lstrip("/")
        if source.tree.has(page):
            return Plan(
                provider="static",
                version=None,
                reasons=[f"found {page}: a static site, served as it is"],
                stages=[],
                base=source.bases.plain("static").run,
                parts=[Part(folder or ".", FOLDER, owned=False)],
                processes={"web": serve(FOLDER)},
            )
    return None
