"""What settings pages have in common: to save, to rename, and to delete."""

from collections.abc import Callable
from typing import Any

from barque.dashboard.routes import Page, View
from barque.errors import Invalid


def offer_saving(page: Page, path: str, fields: Callable[[View], dict[str, Any]]) -> None:
    """Have a page change, at a path of the API, those fields that are not as it showed them."""

    @page.form("save")
    async def save(view: View) -> str:
        await view.api.send("PATCH", path, view.changed(fields(view)))
        return f"{view.here}?said=saved"


def offer_rename(page: Page, path: str) -> None:
    """Have a page rename what is at a path of the API."""

    @page.form("rename")
    async def rename(view: View) -> str:
        await view.api.send("PATCH", path, view.filled("name"))
        return f"{view.here}?said=saved"


def offer_deletion(page: Page, path: str, **query: str) -> None:
    """Have a page delete what is at a path of the API, once the form repeats its slug."""
    above, _, name = path.rpartition("/")
    parent = above.rpartition("/")[0]

    @page.form("delete")
    async def delete(view: View) -> str:
        _confirm(view, name.format(**view.path))
        await view.api.remove(path, query)
        return f"{parent.format(**view.path) or '/'}?said=deleted"


def _confirm(view: View, slug: str) -> None:
    if view.form.get("confirm", "").strip() != slug:
        raise Invalid.field("confirm", f"must be '{slug}', so that nothing is deleted by mistake")
