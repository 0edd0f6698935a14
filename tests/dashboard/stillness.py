"""That nothing on a page moves while others change what it shows."""

from typing import Any

from playwright.sync_api import Page

_SHIFTS = """(buffered) => {
window.shifts = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifts.push(
    ...entry.sources.map(({node, previousRect, currentRect}) =>
      `${node?.nodeName} ${node?.textContent.trim().slice(0, 60)}: from `
      + `${previousRect.x},${previousRect.y} to ${currentRect.x},${currentRect.y}`));
}).observe({type: "layout-shift", buffered});
}"""
# Whatever is not sent again: headings, forms, tabs, and the regions themselves.
_PLACES = """() => [
    ...document.querySelectorAll("h1, h2, nav, form, button, section, [data-region]")
  ]
  .filter((one) => !one.parentElement.closest("[data-region]"))
  .map((one) => [one, one.getBoundingClientRect()])
  .filter(([, {top, height}]) => height && top < innerHeight)
  .map(([one, {top, left}]) => `${one.nodeName} ${one.id || one.dataset.region || one.className}`
    + ` at ${Math.round(left)},${Math.round(top)}`)"""


class Still:
    """A page as it stands now, to be compared with how it stands later.

    With `loading`, what moved while it was loaded counts as well.
    """

    def __init__(self, page: Page, *, loading: bool = False) -> None:
        self._page = page
        page.evaluate("window.stayed = true")
        page.evaluate(_SHIFTS, loading)
        self._places = self._found()

    def _found(self) -> list[Any]:
        return list(self._page.evaluate(_PLACES))

    def moved(self) -> list[str]:
        """List what moved, or that the page was loaded anew."""
        if not self._page.evaluate("window.stayed === true"):
            return ["the page was loaded anew"]
        now = self._found()
        return [*self._page.evaluate("window.shifts"), *(set(self._places) ^ set(now))]
