"""The rules of git credentials: sealing them, and finding the one that a fetch needs."""

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from barque.credentials.keys import BadKey, new_key, read_key
from barque.credentials.models import GitCredential
from barque.credentials.schemas import NewCredential
from barque.errors import Conflict, Invalid, NotFound
from barque.git.port import Credential, SourceUnavailable, SshKey, Token
from barque.github.app import CONTENTS, GitHubError
from barque.names import new_id
from barque.services.place import Place

if TYPE_CHECKING:
    from barque.platform import Platform

# What GitHub wants with a token; most others take any.
_TOKEN_USER = "x-access-token"  # noqa: S105 - it is no token
_KEY_USER = "git"


class Credentials:
    """Git credentials of organizations."""

    def __init__(self, platform: "Platform") -> None:
        self._platform = platform
        self._base = urlsplit(platform.settings.git_base_url)

    async def add(self, session: AsyncSession, place: Place, new: NewCredential) -> GitCredential:
        """Seal and keep a credential. Raises `Invalid`, and `Conflict` for a taken name."""
        secret, public = _parts(new)
        if await self._named(session, place, new.name) is not None:
            raise Conflict(f"the name '{new.name}' is taken: choose another, or delete that first")
        row = GitCredential(
            id=new_id(), org_id=place.org.id, name=new.name, kind=new.kind, host=new.host.lower(),
            repository=new.repository, public_key=public,
            username=new.username or (_TOKEN_USER if new.kind == "token" else _KEY_USER),
        )  # fmt: skip
        row.sealed = self._platform.vault.seal(place.org.data_key, secret, _context(row))
        session.add(row)
        await session.flush()
        return row

    async def at(self, session: AsyncSession, place: Place, name: str) -> GitCredential:
        """Return a credential by name or id. Raises `NotFound`."""
        found = await self._named(session, place, name) or await session.get(GitCredential, name)
        if found is None or found.org_id != place.org.id:
            raise NotFound(f"git credential '{name}' not found in {place.org.slug}")
        return found

    async def of(self, place: Place) -> Credential | None:
        """Return what opens a service's repository: the organization's own, or the App's token.

        Of several, one for the repository alone goes first, and the newest. Raises
        `SourceUnavailable` when GitHub gives no token just now.
        """
        repository = place.svc.github_repository or ""
        async with self._platform.database.read() as session:
            rows = await session.scalars(_of(place).order_by(GitCredential.id.desc()))
            fitting = [row for row in rows if self._fits(row, repository)]
        if fitting:
            return self._opened(place, max(fitting, key=lambda row: row.repository is not None))
        app = self._platform.github
        if app is None or not self._base.scheme.startswith("http"):
            return None
        if not app.acts_for(place.org.slug, repository):
            return None
        try:
            token = await app.token(repository, CONTENTS)
        except GitHubError as error:
            raise SourceUnavailable(f"{error}: build again later") from None
        return Token(_TOKEN_USER, token) if token is not None else None

    def _fits(self, row: GitCredential, repository: str) -> bool:
        # The port of a key is that of SSH, which the platform's address does not say.
        theirs = self._base.hostname if row.kind == "ssh_key" else self._base.netloc
        mine = row.host.partition(":")[0] if row.kind == "ssh_key" else row.host
        if mine != (theirs or "").lower().rpartition("@")[2]:
            return False
        return row.repository is None or row.repository.lower() == repository.lower()

    def _opened(self, place: Place, row: GitCredential) -> Credential:
        secret = self._platform.vault.open(place.org.data_key, row.sealed, _context(row))
        if row.kind == "token":
            return Token(row.username, secret)
        return SshKey(row.username, secret, row.host)

    async def _named(self, session: AsyncSession, place: Place, name: str) -> GitCredential | None:
        found: GitCredential | None = await session.scalar(
            _of(place).where(GitCredential.name == name)
        )
        return found


def _of(place: Place) -> Any:
    return select(GitCredential).where(GitCredential.org_id == place.org.id)


def _context(row: GitCredential) -> str:
    return f"git-credential/{row.org_id}/{row.id}"


def _parts(new: NewCredential) -> tuple[str, str | None]:
    """Return the secret, and the public key of a private one. Raises `Invalid`."""
    if new.kind == "token":
        if new.value is None or any(character.isspace() for character in new.value.strip()):
            raise Invalid.field("value", "must be the token, without spaces")
        return new.value.strip(), None
    try:
        return new_key() if new.value is None else read_key(new.value)
    except BadKey as error:
        raise Invalid.field("value", str(error)) from None
