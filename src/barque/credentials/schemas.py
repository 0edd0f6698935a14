"""What goes over the wire about git credentials."""

from typing import Annotated

import msgspec
from msgspec import Meta

from barque.credentials.models import Kind
from barque.fields import Moment
from barque.services.controller import Repository

CredentialName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=63)]
Host = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?$", max_length=255)
]
Username = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.@-]*$", max_length=255)]
# Nothing that could end a line of what git reads.
Value = Annotated[str, Meta(min_length=1, max_length=16_384, pattern=r"^[\t\n\r -~]+$")]


class NewCredential(msgspec.Struct, forbid_unknown_fields=True):
    """A new git credential: a `token`, or an `ssh_key`, which is made here without a `value`.

    It opens every repository of the host, or the one `repository`. `username` is `git` for a key
    and, for a token, what GitHub expects, unless given.
    """

    name: CredentialName
    kind: Kind
    host: Host
    value: Value | None = None
    repository: Repository | None = None
    username: Username | None = None


class CredentialView(msgspec.Struct, frozen=True):
    """A git credential without its value; `public_key` is what a host wants as deploy key."""

    id: str
    name: str
    kind: str
    host: str
    repository: str | None
    username: str
    public_key: str | None
    created: Moment
