"""What GitHub sends, as far as Barque reads it, and what it is answered.

Nothing here is trusted, though it is signed: whatever does not fit is refused, before any rule.
"""

from typing import Annotated

import msgspec
from msgspec import Meta

from barque.fields import Number

# No database takes a null character.
Text = Annotated[str, Meta(pattern=r"^[^\x00]*$", max_length=4096)]
Sha = Annotated[str, Meta(pattern=r"^[!-~]+$", max_length=255)]
FullName = Annotated[str, Meta(pattern=r"^[^\x00]+$", max_length=255)]
Login = Annotated[str, Meta(pattern=r"^[^\x00]*$", max_length=240)]
# As GitHub writes it, so that moments sort as text.
Moment = Annotated[
    str, Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$", max_length=20)
]


class Repository(msgspec.Struct):
    """A repository: `owner/name`."""

    full_name: FullName


class Pusher(msgspec.Struct):
    """Whoever pushed."""

    name: Login = ""


class Commit(msgspec.Struct):
    """A commit of a push, with the files that it changed."""

    id: str = ""
    added: list[str] = []
    modified: list[str] = []
    removed: list[str] = []


class Push(msgspec.Struct):
    """A push."""

    ref: Text
    after: Sha
    repository: Repository
    pusher: Pusher = msgspec.field(default_factory=Pusher)
    created: bool = False
    forced: bool = False
    commits: list[Commit] | None = None


class Head(msgspec.Struct):
    """The branch that a pull request is of; `repo` is null when its fork is gone."""

    sha: Sha
    ref: Annotated[str, Meta(pattern=r"^[^\x00]*$", max_length=255)] = ""
    repo: Repository | None = None


class PullRequest(msgspec.Struct):
    """A pull request, as it was when GitHub wrote the delivery."""

    number: Number
    head: Head
    state: str = "open"
    updated_at: Moment | None = None


class Sender(msgspec.Struct):
    """Whoever did it."""

    login: Login = ""


class PullRequestEvent(msgspec.Struct):
    """What happened to a pull request; `before` is its head before a push."""

    action: str
    pull_request: PullRequest
    repository: Repository
    sender: Sender = msgspec.field(default_factory=Sender)
    before: str | None = None

    @property
    def from_fork(self) -> bool:
        """Tell whether the head is in another repository than the pull request."""
        repo = self.pull_request.head.repo
        return repo is None or repo.full_name.lower() != self.repository.full_name.lower()


class Started(msgspec.Struct, frozen=True):
    """A service that is built and deployed because of a delivery."""

    service: str
    image_version: int
    deployment_id: str


class Skipped(msgspec.Struct, frozen=True):
    """A service, or a project, that a delivery was about and that it leaves as it is, and why."""

    path: str
    reason: str


class HookAnswer(msgspec.Struct, frozen=True):
    """What came of a delivery: `started`, `removed`, `ignored`, or `duplicate`.

    `removed` lists the environments of pull requests that were closed.
    """

    result: str
    started: list[Started] = []
    skipped: list[Skipped] = []
    removed: list[str] = []


class PreviewView(msgspec.Struct, frozen=True):
    """An open pull request, and the environment that it has, unless somebody deleted that."""

    repository: str
    number: int
    head_ref: str
    head_sha: str
    env: str | None
