"""The address that `git push` pushes to: smart HTTP, for whoever has an API key.

`/git/{org}/{project}/{env}/{svc}.git`, with the key as password; any user name will do.
"""

import re
from typing import Any
from urllib.parse import unquote

import structlog
from litestar import Request
from litestar.handlers import ASGIRouteHandler, asgi

from barque.accounts.keys import Actor
from barque.errors import BarqueError, Forbidden, NotFound
from barque.http import Call, Endpoint
from barque.platform import Platform
from barque.pushes.backend import Receive, Send, serve
from barque.pushes.conversation import Conversation
from barque.services.place import Role, allow
from barque.store.unavailable import StoreUnavailable

_PATH = re.compile(
    r"/git/(?P<org>[^/]+)/(?P<project>[^/]+)/(?P<env>[^/]+)/(?P<svc>[^/]+?)\.git/"
    r"(?P<what>info/refs|git-upload-pack|git-receive-pack)/?"
)
_SERVICES: dict[str, Role] = {"git-upload-pack": "viewer", "git-receive-pack": "developer"}
_REALM = {"WWW-Authenticate": 'Basic realm="Barque: the password is an API key", charset="UTF-8"'}
# What the backend needs to know of a request, beside its method and body.
_PASSED = {
    "content-type": "CONTENT_TYPE", "content-length": "CONTENT_LENGTH",
    "content-encoding": "HTTP_CONTENT_ENCODING", "git-protocol": "GIT_PROTOCOL",
}  # fmt: skip

log = structlog.get_logger()


def git_handler(platform: Platform) -> ASGIRouteHandler:
    """Return the handler of everything below `/git`."""

    @asgi("/git", is_mount=True, copy_scope=True)
    async def git(scope: Any, receive: Any, send: Any) -> None:
        request: Request[Any, Any, Any] = Request(scope, receive, send)
        try:
            await _answer(platform, request, receive, send)
        except BarqueError as error:
            headers = {**error.headers, **(_REALM if error.status == 401 else {})}
            await _say(send, error.status, error.message, headers)
        except StoreUnavailable as error:
            await _say(send, 503, f"{error}; try again in a few seconds", {"Retry-After": "5"})
        except Exception:
            log.exception("git request failed", path=request.url.path)
            await _say(send, 500, "the platform failed here, and has logged why", {})

    return git


async def _answer(
    platform: Platform, request: Request[Any, Any, Any], receive: Receive, send: Send
) -> None:
    path = _PATH.fullmatch(unquote(request.scope["raw_path"].decode("latin-1").partition("?")[0]))
    if path is None:
        raise NotFound("there is no repository here: 'barque git remote' adds the right address")
    service = _service(request, path["what"])
    actor = await platform.keys.authenticate(request, basic=True)
    slugs = {name: path[name] for name in ("org", "project", "env", "svc")}
    place = await platform.places.find(actor, slugs)
    allow(actor, place, _SERVICES[service])
    call = Call(request, platform, _endpoint(service), actor, place)
    repository = await platform.repositories.of(place.svc.id)

    async def attend(talk: Conversation) -> None:
        await platform.pushes.attend(call, repository, talk)

    environment = {
        **platform.repositories.environment(), **_of_request(request, actor),
        "GIT_PROJECT_ROOT": str(platform.repositories.folder), "GIT_HTTP_EXPORT_ALL": "1",
        "PATH_INFO": f"/{repository.name}/{path['what']}",
    }  # fmt: skip
    await serve(environment, receive, send, attend)


def _service(request: Request[Any, Any, Any], what: str) -> str:
    """Return the service of Git's that a request is about. Raises `NotFound` and `Forbidden`."""
    reads = what == "info/refs"
    if request.method != ("GET" if reads else "POST"):
        raise NotFound(f"{request.method} does nothing here")
    service = request.query_params.get("service", "") if reads else what
    if service not in _SERVICES:
        raise Forbidden("only Git's smart protocol is spoken here: use a newer git")
    return service


def _of_request(request: Request[Any, Any, Any], actor: Actor) -> dict[str, str]:
    """Return what the backend is told of a request, which is neither its key nor its cookies."""
    told = {
        variable: request.headers[name] for name, variable in _PASSED.items()
        if name in request.headers
    }  # fmt: skip
    told |= {"REQUEST_METHOD": request.method, "REMOTE_USER": actor.email}
    told["QUERY_STRING"] = request.scope["query_string"].decode("latin-1")
    told["REMOTE_ADDR"] = request.client.host if request.client else ""
    return told


def _endpoint(service: str) -> Endpoint:
    async def nothing(_: Call) -> None:
        """Answer Git."""

    return Endpoint(
        "POST", "/git", nothing, _SERVICES[service], 200, None, None, None, (), False, False, False
    )


async def _say(send: Send, status: int, message: str, headers: dict[str, str]) -> None:
    """Answer with a sentence, which git shows to whoever runs it."""
    body = f"{message}\n".encode()
    said = {"Content-Type": "text/plain; charset=utf-8", **headers}
    raw = [(name.lower().encode(), value.encode()) for name, value in said.items()]
    raw.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body, "more_body": False})
