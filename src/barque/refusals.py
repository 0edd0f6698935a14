"""Every error as an answer."""

import structlog
from litestar.exceptions import HTTPException, MethodNotAllowedException
from sqlalchemy.exc import IntegrityError

from barque.errors import BarqueError, ErrorAnswer
from barque.unavailable import UNAVAILABLE

_SOON = {"Retry-After": "5"}

log = structlog.get_logger()


def refusal(error: Exception, method: str, path: str) -> tuple[ErrorAnswer, dict[str, str]]:
    """Say what went wrong with a request, with the headers that go with it."""
    headers: dict[str, str] = {}
    if isinstance(error, BarqueError):
        said, headers = error.answer(), error.headers
    elif isinstance(error, UNAVAILABLE):
        log.warning("request put off", path=path, reason=str(error))
        said, headers = ErrorAnswer(503, f"{error}; try again in a few seconds"), _SOON
    elif isinstance(error, IntegrityError):
        said = ErrorAnswer(409, "somebody changed the same thing at the same moment: try again")
    elif isinstance(error, MethodNotAllowedException):
        headers = dict(error.headers or {})
        allowed = ", ".join(sorted(headers.get("allow", "").split(", ")))
        said = ErrorAnswer(405, f"{method} is not allowed here ({allowed} are): see /docs")
    elif isinstance(error, HTTPException) and error.status_code < 500:
        said = ErrorAnswer(error.status_code, "there is nothing at this path: see /docs")
    else:
        log.exception("request failed", method=method, path=path, exc_info=error)
        said = ErrorAnswer(500, "the platform failed here, and has logged why")
    return said, headers
