"""Reading dotenv text."""

import io

from dotenv.parser import parse_stream


class DotenvError(ValueError):
    """A line of a dotenv text that is no assignment; the message names it, and no value."""


def parse_dotenv(text: str) -> dict[str, str]:
    """Read `NAME=value` lines; the last of a name wins, and nothing is interpolated.

    Raises `DotenvError` for a line that is none.
    """
    found: dict[str, str] = {}
    for binding in parse_stream(io.StringIO(text)):
        if binding.error or (binding.key is not None and binding.value is None):
            raise DotenvError(f"line {binding.original.line} is not NAME=value")
        if binding.key is not None and binding.value is not None:
            found[binding.key] = binding.value
    return found
