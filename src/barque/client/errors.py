"""What can go wrong between the client and the platform."""

import httpx


class Unreachable(Exception):
    """The platform does not answer."""


class ApiError(Exception):
    """The platform refused a request: `status`, `message`, and `errors` by field.

    `retry_after` is the seconds after which to ask again, where the platform named them.
    """

    def __init__(
        self,
        status: int,
        message: str,
        errors: list[dict[str, str]],
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.errors = errors
        self.retry_after = retry_after

    @classmethod
    def of(cls, answer: httpx.Response) -> "ApiError":
        """Read what a refusing answer says; also one that is none of the platform's own."""
        try:
            said = answer.json()
            message, errors = said["message"], said.get("errors", [])
        except (ValueError, KeyError, TypeError):
            message, errors = f"the platform answered {answer.status_code}", []
        after = answer.headers.get("retry-after", "")
        wait = int(after) if after.isascii() and after.isdigit() else None
        return cls(answer.status_code, message, errors, wait)
