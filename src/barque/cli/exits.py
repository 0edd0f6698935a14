"""How commands end: exit codes, and one sentence that says what to do next."""

import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from itertools import takewhile
from typing import Any, NoReturn

from typer.exceptions import Abort, TyperException

from barque.cli.contexts import NoSuchContext
from barque.cli.output import err, run
from barque.client import ApiError, BadAddress, Unreachable


class Exit(IntEnum):
    """What the exit code of a command says; `run` and `exec` end with their command's own."""

    DONE = 0
    REFUSED = 1
    USAGE = 2
    FORBIDDEN = 3
    NOT_FOUND = 4
    UNREACHABLE = 5
    FAILED = 6
    INTERRUPTED = 130


MEANINGS = {
    Exit.DONE: "It is done.",
    Exit.REFUSED: "The platform refused it, or something here is in the way.",
    Exit.USAGE: "The command was written wrongly: see its --help.",
    Exit.FORBIDDEN: "Not signed in, or not allowed to.",
    Exit.NOT_FOUND: "There is no such thing, or none that this key may know of.",
    Exit.UNREACHABLE: "The platform does not answer.",
    Exit.FAILED: "The build or the deployment was started, and failed.",
    Exit.INTERRUPTED: "Ctrl-C. What the platform had begun goes on there.",
}

_OF_STATUS = {401: Exit.FORBIDDEN, 403: Exit.FORBIDDEN, 404: Exit.NOT_FOUND}
_NEXT = {
    401: "sign in with 'barque login URL'",
    403: "ask an admin of the organization, or use another key ('barque login', '--context')",
}
# How what is missing is listed, by what the platform calls it.
_LISTS = {
    "organization": "orgs", "project": "projects", "environment": "envs", "service": "services",
    "image": "images", "release": "releases", "deployment": "deployments", "webhook": "webhooks",
    "delivery": "webhooks deliveries", "member": "members", "API key": "keys",
    "git credential": "git-credentials",
}  # fmt: skip
# What the platform says in terms of its API, a person does with a command.
_COMMANDS = {
    "POST .../images/build": "'barque build'", "POST .../deploy": "'barque deploy'",
    "DELETE .../lock": "'barque unlock'", "GET .../processes": "'barque ps'",
    "POST .../run": "'barque run'", "?cascade=true": "--cascade",
}  # fmt: skip
_CALL = re.compile("|".join(map(re.escape, _COMMANDS)))
# How a value is described that is none of its option's type.
_INPUT = re.compile(r": Input should be ([^,]*).*")


class NotSignedIn(Exception):
    """Nobody said who is calling."""


def fail(message: str, code: int = Exit.REFUSED, **more: Any) -> NoReturn:
    """End with one sentence on standard error, or with JSON where that was asked for."""
    if run.json:
        said = {"exit_code": int(code), "message": message, **more}
        err.print(json.dumps({"error": said}), markup=False, soft_wrap=True)
    else:
        err.print(f"barque: {message}", markup=False, soft_wrap=True)
    raise SystemExit(int(code))


def misuse(message: str) -> NoReturn:
    """End with what is wrong about how the command was written."""
    # What is wrong may come before the option that says how to print.
    before_command = takewhile(lambda one: one != "--", sys.argv)
    run.note("--json" in before_command, None)
    fail(message, Exit.USAGE)


_OF_ERROR: dict[type[Exception], Exit] = {
    NotSignedIn: Exit.FORBIDDEN, BadAddress: Exit.USAGE, NoSuchContext: Exit.NOT_FOUND,
    Unreachable: Exit.UNREACHABLE,
}  # fmt: skip


@contextmanager
def sentences() -> Iterator[None]:
    """Turn every error that is no defect into one sentence, and the exit code that fits."""
    try:
        yield
    except TyperException as error:
        _misused(error)
    except ApiError as error:
        _refused(error)
    except Abort:
        fail("nothing was typed, and nothing is done", Exit.INTERRUPTED)
    except ModuleNotFoundError as error:
        fail(f"{error.name} is missing: what serves needs pip install 'barque[server]'")
    except OSError as error:
        fail(f"{error.filename}: {error.strerror}" if error.filename else str(error))
    except (ValueError, NotSignedIn, Unreachable) as error:
        fail(str(error), _OF_ERROR.get(type(error), Exit.REFUSED))


def _takes_service(ctx: Any) -> bool:
    return any("--service" in one.opts for one in ctx.command.params)


def _hint(error: ApiError) -> str | None:
    """Say what to do about a refusal, where that is known."""
    if error.status == 404:
        lists = (one for what, one in _LISTS.items() if error.message.startswith(f"{what} "))
        return next((f"'barque {one}' lists what there is" for one in lists), None)
    return _NEXT.get(error.status)


def _misused(error: TyperException) -> NoReturn:
    message, ctx = " ".join(error.format_message().split()), getattr(error, "ctx", None)
    if not message:
        # A group that was named alone has shown its help.
        raise SystemExit(int(Exit.USAGE))
    said = _INPUT.sub(r": it should be \1", message[0].lower() + message[1:].rstrip("."))
    said = said.replace(": Value error, ", ": ")
    if "unexpected extra" in said and "/" in said and _takes_service(ctx):
        said = f"{said}: name the service with -s"
    misuse(f"{said}: see '{ctx.command_path} --help'" if ctx else said)


def _refused(error: ApiError) -> NoReturn:
    message = _CALL.sub(lambda found: _COMMANDS[found[0]], error.message)
    if error.errors:
        fields = "".join(f"\n  {one['field']}: {one['message']}" for one in error.errors)
        message = f"the platform refused this:{fields}"
    elif hint := _hint(error):
        message = f"{message} ({hint})"
    code = _OF_STATUS.get(error.status, Exit.REFUSED)
    fail(message, code, status=error.status, errors=error.errors)
