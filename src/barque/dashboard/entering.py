"""Signing in and out; and style sheets and scripts, which need neither."""

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from litestar import Request, Response, get, route
from litestar.datastructures import Cookie
from litestar.handlers import HTTPRouteHandler

from barque.accounts.sign_ins import COOKIE, check_proof, sign_in, sign_out, token_of
from barque.dashboard.assets import ASSETS
from barque.dashboard.rendering import render
from barque.dashboard.responses import html, local, onwards
from barque.dashboard.routes import fields_of
from barque.errors import BarqueError, Forbidden, NotFound
from barque.http import read_body

if TYPE_CHECKING:
    from barque.platform import Platform

_FOREVER = "public, max-age=31536000, immutable"


class Entering:
    """The pages for whoever is not signed in."""

    def __init__(self, platform: "Platform") -> None:
        self._platform = platform

    def handlers(self) -> list[HTTPRouteHandler]:
        """Return the routes."""

        @route("/sign-in", http_method=["GET", "POST"], status_code=200)
        async def enter(request: Request[Any, Any, Any]) -> Response[Any]:
            if request.method == "GET":
                return _form(None, local(request.query_params.get("next", "/")))
            form = fields_of(await read_body(request))
            wanted = local(form.get("next", "/"))
            try:
                return await self._sign_in(request, form.get("key", "").strip(), wanted)
            except BarqueError as problem:
                return _form(problem, wanted)

        @route("/sign-out", http_method="POST", status_code=200)
        async def leave(request: Request[Any, Any, Any]) -> Response[Any]:
            return await self._sign_out(request)

        return [enter, leave]

    async def _sign_in(
        self, request: Request[Any, Any, Any], key: str, wanted: str
    ) -> Response[Any]:
        _check_origin(request)
        actor = await self._platform.keys.of_key(request, key)
        hours = self._platform.settings.session_hours
        async with self._platform.database.write() as session:
            token = sign_in(session, actor.key_id, hours)
        response = onwards(wanted)
        response.cookies.append(_cookie(request, token, hours * 3600))
        return response

    async def _sign_out(self, request: Request[Any, Any, Any]) -> Response[Any]:
        form = fields_of(await read_body(request))
        if token := token_of(request):
            check_proof(request, token, form.get("csrf"))
            async with self._platform.database.write() as session:
                await sign_out(session, token)
        response = onwards("/sign-in")
        response.cookies.append(_cookie(request, "", 0))
        return response


@get("/assets/{version:str}/{name:str}")
async def assets(request: Request[Any, Any, Any], name: str) -> Response[bytes]:
    """Send a style sheet, a script or a picture."""
    found = ASSETS.get(name)
    if found is None:
        raise NotFound(f"asset '{name}' not found")
    headers = {"Cache-Control": _FOREVER, "Vary": "Accept-Encoding"}
    body = found.plain
    if "gzip" in request.headers.get("accept-encoding", ""):
        body, headers["Content-Encoding"] = found.packed, "gzip"
    return Response(body, media_type=found.media, headers=headers)


def _form(problem: BarqueError | None, wanted: str) -> Response[bytes]:
    shown = {"problem": problem, "wanted": wanted}
    return html(render("sign_in.html", shown), problem.status if problem else 200)


def _cookie(request: Request[Any, Any, Any], token: str, seconds: int) -> Cookie:
    return Cookie(
        key=COOKIE, value=token, max_age=seconds, path="/", httponly=True, samesite="lax",
        secure=request.url.scheme == "https",
    )  # fmt: skip


def _check_origin(request: Request[Any, Any, Any]) -> None:
    """Return if no other site has sent this form. Raises `Forbidden`."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        ours = site in ("same-origin", "none")
    else:
        ours = origin is None or urlsplit(origin).netloc == request.headers.get("host")
    if not ours:
        raise Forbidden("this form was sent by another site: sign in from the page itself")
