"""The dashboard over HTTP: its pages, their forms, and pages that update by themselves."""

from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING, Any

from litestar import Request, Response, route
from litestar.handlers import HTTPRouteHandler
from litestar.response import Stream

from barque.accounts.keys import Actor
from barque.accounts.sign_ins import csrf_of, token_of
from barque.dashboard.accounts import pages as accounts
from barque.dashboard.config import pages as config
from barque.dashboard.doing import pages as doing
from barque.dashboard.entering import Entering, assets
from barque.dashboard.history import pages as history
from barque.dashboard.inside import Endpoints, Inside
from barque.dashboard.integrations import pages as integrations
from barque.dashboard.live import changes
from barque.dashboard.plots import Plots
from barque.dashboard.projects import pages as projects
from barque.dashboard.rendering import regions, render
from barque.dashboard.responses import html, onwards, to_sign_in
from barque.dashboard.routes import Page, View, fields_of
from barque.dashboard.services import pages as services
from barque.errors import BarqueError, ErrorAnswer, Invalid, Unauthorized
from barque.http import pattern, read_body

if TYPE_CHECKING:
    from barque.platform import Platform

_PARTS = (accounts, projects, config, services, doing, history, integrations)
PAGES = [page for part in _PARTS for page in part.found]


def wants_page(request: Request[Any, Any, Any]) -> bool:
    """Tell whether a browser asks, to show what it gets."""
    return "text/html" in request.headers.get("accept", "")


def error_page(said: ErrorAnswer, headers: dict[str, str]) -> Response[bytes]:
    """Show an error to people."""
    return html(render("error.html", {"said": said}), said.status, headers)


class Dashboard:
    """Serves the pages. What they show and do is what the API answers to the same caller."""

    def __init__(self, platform: "Platform", endpoints: Endpoints) -> None:
        self._platform = platform
        self._endpoints = endpoints
        self._plots = Plots()

    def handlers(self) -> list[HTTPRouteHandler]:
        """Return the routes."""
        entering = Entering(self._platform)
        return [*(self._handler(page) for page in PAGES), *entering.handlers(), assets]

    def _handler(self, page: Page) -> HTTPRouteHandler:
        methods: Any = ["GET", "POST"] if page.forms else ["GET"]

        @route(pattern(page.path), http_method=methods, status_code=200)
        async def answer(request: Request[Any, Any, Any]) -> Response[Any]:
            begun, status = perf_counter(), 500
            try:
                response = await self._answer(page, request)
                status = response.status_code or 200
            except Unauthorized:
                status = 303
                return to_sign_in(request)
            except BarqueError as error:
                status = error.status
                raise
            finally:
                spent = perf_counter() - begun
                self._platform.requests.observe(f"dashboard_{page.name}", status, spent)
            return response

        return answer

    async def _answer(self, page: Page, request: Request[Any, Any, Any]) -> Response[Any]:
        if request.method == "POST":
            return await self._carry_out(page, request)
        view = await self._view(request, await self._platform.keys.authenticate(request))
        if "text/event-stream" in request.headers.get("accept", ""):
            return Stream(self._watch(page, view), media_type="text/event-stream")
        return html(render(page.template, await _shown(page, view)))

    async def _carry_out(self, page: Page, request: Request[Any, Any, Any]) -> Response[Any]:
        form = fields_of(await read_body(request))
        actor = await self._platform.keys.authenticate(request, form.pop("csrf", None))
        view = await self._view(request, actor)
        view.form = form
        carry_out = page.forms.get(form.get("do", ""))
        if carry_out is None:
            raise Invalid.field("do", "is nothing that this page does: load it again")
        try:
            ended = await carry_out(view)
        except BarqueError as problem:
            view.problem = problem
            return html(render(page.template, await _shown(page, view)), problem.status)
        if isinstance(ended, str):
            return onwards(ended)
        return html(render(page.template, {**await _shown(page, view), **ended}))

    async def _view(self, request: Request[Any, Any, Any], actor: Actor) -> View:
        place = await self._platform.places.find(actor, request.path_params)
        token = token_of(request)
        return View(
            request, self._platform, actor, place,
            Inside(self._endpoints, self._platform, request, actor), self._plots,
            csrf_of(token) if token else "",
        )  # fmt: skip

    def _watch(self, page: Page, view: View) -> Any:
        async def look() -> dict[str, str]:
            # Whoever was signed out, or may see less than before, sees no more.
            token = token_of(view.request)
            actor = await self._platform.keys.signed_in(token) if token else view.actor
            present = replace(await self._view(view.request, actor), watching=True)
            return regions(page.template, await _shown(page, present))

        return changes(self._platform, look, page.every)


async def _shown(page: Page, view: View) -> dict[str, Any]:
    return {"view": view, "live": page.every > 0, **await page.show(view)}
