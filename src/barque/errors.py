"""Errors that a caller can cause, each with its HTTP status (contract: "Ground rules")."""

import msgspec


class FieldError(msgspec.Struct, frozen=True):
    """What is wrong with one field of a request."""

    field: str
    message: str


class ErrorAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """The body of every error."""

    status: int
    message: str
    errors: list[FieldError] | msgspec.UnsetType = msgspec.UNSET


class BarqueError(Exception):
    """An error that the caller can act on; `message` says what to do next."""

    status = 500
    headers: dict[str, str]

    def __init__(self, message: str, *, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.headers = headers or {}

    def answer(self) -> ErrorAnswer:
        """Render the error as it goes over the wire."""
        return ErrorAnswer(self.status, self.message)


class Unauthorized(BarqueError):
    """No API key, or one that is unknown, expired or revoked."""

    status = 401


class Forbidden(BarqueError):
    """The caller is known, and may not do this."""

    status = 403


class NotFound(BarqueError):
    """There is nothing there, or nothing that this caller may know of."""

    status = 404


class Conflict(BarqueError):
    """The request contradicts the present state."""

    status = 409


class TooLarge(BarqueError):
    """The request's body is larger than any that is meant."""

    status = 413


class TooMany(BarqueError):
    """The caller has asked too often; `wait` is the seconds until they may ask again."""

    status = 429

    def __init__(self, message: str, wait: int) -> None:
        super().__init__(
            f"{message}: wait {wait} s and try again", headers={"Retry-After": str(wait)}
        )


class Invalid(BarqueError):
    """The request says something that cannot be; `errors` name the fields."""

    status = 422

    def __init__(self, *errors: FieldError) -> None:
        super().__init__("; ".join(f"{error.field}: {error.message}" for error in errors))
        self.errors = list(errors)

    @classmethod
    def field(cls, field: str, message: str) -> "Invalid":
        """Complain about one field."""
        return cls(FieldError(field, message))

    def answer(self) -> ErrorAnswer:
        """Render the error with the fields that it is about."""
        return ErrorAnswer(self.status, self.message, self.errors)
