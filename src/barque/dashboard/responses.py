"""What goes back to a browser, with what it is allowed to do with that."""

from typing import Any
from urllib.parse import quote

from litestar import Request, Response

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def html(body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> Response[bytes]:
    """Return a page, which may load and send nothing but from and to the platform itself."""
    return Response(
        body, status_code=status, media_type="text/html",
        headers={**_HEADERS, **(headers or {})},
    )  # fmt: skip


def onwards(to: str) -> Response[bytes]:
    """Send a browser on to another page, which it asks for by GET."""
    return html(b"", 303, {"Location": to})


def to_sign_in(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Send a browser to sign in, and then to where it wanted to go."""
    wanted = request.url.path
    if request.method != "GET" or wanted == "/":
        return onwards("/sign-in")
    return onwards(f"/sign-in?next={quote(wanted)}")


def local(path: str) -> str:
    """Return a path of this very place: one that leads elsewhere becomes the first page's."""
    inside = path.startswith("/") and not path.startswith("//") and path.isprintable()
    return quote(path, safe="/?=&%-._~") if inside and "\\" not in path else "/"
