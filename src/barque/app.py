"""The HTTP application: the declared endpoints as routes, and every error as an answer."""

from collections import defaultdict
from time import perf_counter
from typing import Any

from litestar import Litestar, Request, Response, route
from litestar.handlers import HTTPRouteHandler
from litestar.response import Stream

from barque.accounts.controller import routes as accounts
from barque.audit.controller import routes as audit
from barque.config.controller import routes as config
from barque.credentials.controller import routes as credentials
from barque.dashboard.app import Dashboard, error_page, wants_page
from barque.deployments.controller import routes as deployments
from barque.deployments.previews import routes as previews
from barque.errors import BarqueError
from barque.github.controller import routes as github
from barque.http import Answer, Endpoint, Replayed, encode, pattern, run
from barque.images.controller import routes as images
from barque.platform import Platform
from barque.processes.controller import routes as processes
from barque.projects.controller import routes as projects
from barque.projects.overview import routes as overview
from barque.projects.pipeline import routes as pipeline
from barque.projects.promotion import routes as promotion
from barque.projects.status import routes as status
from barque.pushes.controller import git_handler
from barque.refusals import refusal
from barque.releases.controller import routes as releases
from barque.services.controller import routes as services
from barque.sockets import session_handlers
from barque.system.controller import routes as system
from barque.system.openapi import document
from barque.unavailable import UNAVAILABLE
from barque.uploads.controller import routes as uploads
from barque.webhooks.controller import routes as webhooks

API = "/api/v1"
ROOT = ("/health", "/ready", "/metrics", "/schema/openapi.json", "/docs")
CONTROLLERS = (
    accounts, projects, overview, services, config, credentials, images, uploads, releases,
    deployments, previews, processes, pipeline, status, promotion, github, webhooks, audit, system,
)  # fmt: skip


def endpoints() -> list[tuple[str, Endpoint]]:
    """List every endpoint with its whole path."""
    found = [endpoint for routes in CONTROLLERS for endpoint in routes.endpoints]
    return [(e.path if e.path in ROOT else API + e.path, e) for e in found]


def sessions() -> list[tuple[str, Endpoint]]:
    """List every endpoint that is a WebSocket with its whole path."""
    return [(API + one.path, one) for routes in CONTROLLERS for one in routes.sessions]


def create_app(platform: Platform) -> Litestar:
    """Make the application around a platform, which somebody else starts and stops."""
    platform.api_document = document(endpoints())
    by_path: dict[str, dict[str, Endpoint]] = defaultdict(dict)
    for path, endpoint in endpoints():
        by_path[path][endpoint.method] = endpoint
        if endpoint.path in ROOT:
            # Whoever looks for it below the API's own path finds it there as well.
            by_path[API + path][endpoint.method] = endpoint
    dashboard = Dashboard(platform, {(e.method, e.path): e for _, e in endpoints()})
    answers = [_handler(path, methods, platform) for path, methods in by_path.items()]
    sockets = [one for path, e in sessions() for one in session_handlers(path, e, platform)]
    return Litestar(
        route_handlers=[*answers, *sockets, git_handler(platform), *dashboard.handlers()],
        openapi_config=None,
        # Each endpoint has a limit of its own, and says so.
        request_max_body_size=None,
        exception_handlers={Exception: _answer_error},
    )


def _handler(path: str, methods: dict[str, Endpoint], platform: Platform) -> HTTPRouteHandler:
    @route(pattern(path), http_method=list(methods), status_code=200)  # type: ignore[arg-type]
    async def answer(request: Request[Any, Any, Any]) -> Response[Any]:
        endpoint, begun, status = methods[request.method], perf_counter(), 500
        try:
            response = _response(await run(endpoint, platform, request))
            status = response.status_code or 200
        except Replayed as earlier:
            response = _response(Answer(status=earlier.status, raw=earlier.body))
            status = earlier.status
        except BarqueError as error:
            status = error.status
            raise
        except UNAVAILABLE:
            status = 503
            raise
        finally:
            platform.requests.observe(endpoint.name, status, perf_counter() - begun)
        return response

    return answer


def _response(answer: Answer) -> Response[Any]:
    if answer.events is not None:
        return Stream(answer.events, media_type="text/event-stream")
    body = answer.raw if answer.raw is not None else encode(answer.value)
    if answer.status == 204:
        body = b""
    return Response(body, status_code=answer.status, media_type=answer.media)


def _answer_error(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    said, headers = refusal(error, request.method, request.url.path)
    if wants_page(request) and not request.url.path.startswith(API):
        return error_page(said, headers)
    return Response(
        encode(said), status_code=said.status, media_type="application/json", headers=headers
    )
