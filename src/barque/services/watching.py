"""Which changed files are a service's business. No I/O here."""

from collections.abc import Iterable

from pathspec import GitIgnoreSpec


def touches(
    files: set[str] | None, watch_paths: list[str] | None, root_directory: str | None
) -> bool:
    """Tell whether changed files are a service's business.

    `watch_paths` are patterns as in a .gitignore file, from the repository's root, of which the
    last that fits decides. Without them, everything in the `root_directory` counts.
    """
    if files is None:
        return True
    if watch_paths is None:
        watch_paths = ["/**"] if root_directory is None else [f"/{root_directory}/"]
    watched = _read(watch_paths)
    return any(watched.match_file(file) for file in files)


def complaint(patterns: Iterable[str]) -> str | None:
    """Say what is wrong with patterns, if anything is."""
    for number, pattern in enumerate(patterns):
        try:
            _read([pattern])
        except Exception:  # its parsers have many ways of refusing
            return f"holds a pattern that cannot be read, at {number}: see 'git help gitignore'"
    return None


def _read(patterns: Iterable[str]) -> GitIgnoreSpec:
    # Patterns and files come from outside: Python's own regular expressions could take for ever.
    return GitIgnoreSpec.from_lines(patterns, backend="re2")
