"""What the platform asks of a source of code."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


class SourceError(Exception):
    """The source could not be fetched; the message says why and what to do next."""


class RepositoryNotFound(SourceError):
    """There is no such repository, or it may not be read."""


class RefNotFound(SourceError):
    """The repository has no such branch, tag or commit."""


class SourceUnavailable(SourceError):
    """The source's host could not be reached: trying again may help."""


@dataclass(frozen=True, slots=True)
class Checkout:
    """A work tree: `commit_sha` is 40 hexadecimal digits, or None where nobody knows a commit."""

    path: Path
    commit_sha: str | None


@dataclass(frozen=True, slots=True, repr=False)
class Token:
    """A user's name and token for HTTP; no traceback shows either."""

    username: str
    secret: str


@dataclass(frozen=True, slots=True, repr=False)
class SshKey:
    """A private key, and whose it is where: `host` may end in a port."""

    username: str
    private_key: str
    host: str


Credential = Token | SshKey


class Source(Protocol):
    """A place that repositories are fetched from."""

    async def fetch(
        self, repository: str, ref: str | None, into: Path, credential: Credential | None = None
    ) -> Checkout:
        """Fetch `owner/name` at a branch, tag or commit into the empty or missing folder `into`.

        Only the one commit is fetched where the host allows it, and those of its submodules.
        Without `ref`, the remote's default branch is meant. Where a `credential` is given, nothing
        that is written, shown or raised holds it. Raises `RepositoryNotFound`, `RefNotFound`,
        `SourceUnavailable` or `SourceError`.
        """
