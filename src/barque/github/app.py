"""A GitHub App: its tokens, and what is asked of GitHub's REST API with them.

Every token is for one repository and for what it is used for alone. It is kept in memory until
shortly before it expires.
"""

import asyncio
import base64
import contextlib
import ssl
import time
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import httpx
import msgspec
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from barque.settings import Settings
from barque.store.tables import now

T = TypeVar("T")

CONTENTS = {"contents": "read"}
STATUSES = {"statuses": "write"}

_PATIENCE = 10.0
# GitHub allows ten minutes, and clocks differ.
_JWT_BEFORE, _JWT_AFTER = 60, 540
_EARLY = timedelta(minutes=5)
_LONGEST_WAIT = 3600.0


class GitHubError(Exception):
    """GitHub did not do what it was asked to; the message says what it answered."""


class GitHubUnavailable(GitHubError):
    """GitHub does not answer, or wants to be left alone: `wait` seconds, if it said how long."""

    def __init__(self, message: str, wait: float | None = None) -> None:
        super().__init__(message)
        self.wait = wait


class GitHubRefused(GitHubError):
    """GitHub refuses this one thing, with `status`."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class _Token(msgspec.Struct, frozen=True):
    token: str
    expires_at: datetime


class _Installation(msgspec.Struct, frozen=True):
    id: int


class GitHubApp:
    """The App `app_id`, at the API of `url`. `orgs` maps accounts to who it acts for."""

    def __init__(
        self, url: str, app_id: str, key: RSAPrivateKey, orgs: Mapping[str, list[str]] | None,
        ca_bundle: str | None = None,
    ) -> None:  # fmt: skip
        self._app_id = app_id
        self._key = key
        self._orgs = orgs
        self._tokens: dict[tuple[str, str], _Token] = {}
        self._turns: dict[tuple[str, str], asyncio.Lock] = defaultdict(asyncio.Lock)
        trusted = ssl.create_default_context(cafile=ca_bundle)
        self._client = httpx.AsyncClient(base_url=url, timeout=_PATIENCE, verify=trusted)

    def acts_for(self, org: str, repository: str) -> bool:
        """Tell whether an organization may use what the App may do for a repository's account."""
        if self._orgs is None:
            return True
        account = repository.partition("/")[0].lower()
        return org in self._orgs.get(account, [])

    async def token(self, repository: str, permissions: Mapping[str, str]) -> str | None:
        """Return a token for `owner/name`, or None where the App is not installed.

        Raises `GitHubError`.
        """
        key = (repository.lower(), ",".join(sorted(permissions)))
        async with self._turns[key]:
            known = self._tokens.get(key)
            if known is None or known.expires_at - _EARLY <= now():
                known = await self._new_token(repository, permissions)
                if known is None:
                    return None
                self._tokens[key] = known
            return known.token

    async def post(self, repository: str, path: str, body: Mapping[str, Any]) -> None:
        """Post to `/repos/{repository}{path}` as the App, to write statuses. Raises `GitHubError`.

        A token that is no longer taken is replaced once.
        """
        for last in (False, True):
            token = await self.token(repository, STATUSES)
            if token is None:
                raise GitHubRefused(f"the GitHub App is not installed on {repository}", 404)
            try:
                await self._ask("POST", f"/repos/{repository}{path}", token, body)
            except GitHubRefused as error:
                if error.status != 401 or last:
                    raise
                self._tokens.pop((repository.lower(), ",".join(sorted(STATUSES))), None)
            else:
                return

    async def _new_token(self, repository: str, permissions: Mapping[str, str]) -> _Token | None:
        try:
            found = await self._ask("GET", f"/repos/{repository}/installation", self._jwt())
        except GitHubRefused as error:
            if error.status == 404:
                return None
            raise
        installation = _decoded(found, _Installation)
        body = {"repositories": [repository.partition("/")[2]], "permissions": permissions}
        path = f"/app/installations/{installation.id}/access_tokens"
        return _decoded(await self._ask("POST", path, self._jwt(), body), _Token)

    async def _ask(
        self, method: str, path: str, bearer: str, body: Mapping[str, Any] | None = None
    ) -> bytes:
        headers = {
            "Authorization": f"Bearer {bearer}", "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28", "User-Agent": "barque",
        }  # fmt: skip
        try:
            answer = await self._client.request(method, path, json=body, headers=headers)
        except httpx.HTTPError as error:
            said = str(error) or type(error).__name__
            raise GitHubUnavailable(f"GitHub's API does not answer: {said}") from None
        if answer.is_success:
            return answer.content
        raise _complaint(answer)

    def _jwt(self) -> str:
        moment = int(time.time())
        claims = {"iat": moment - _JWT_BEFORE, "exp": moment + _JWT_AFTER, "iss": self._app_id}
        head = ".".join(_plain(msgspec.json.encode(p)) for p in ({"alg": "RS256"}, claims))
        return f"{head}.{_plain(self._key.sign(head.encode(), PKCS1v15(), SHA256()))}"


def github_app(settings: Settings) -> GitHubApp | None:
    """Return the App that the settings name, if they do.

    Raises `ValueError` for a file that holds no RSA key, and `OSError` for one that is not there.
    """
    path = settings.github_app_private_key_file
    if settings.github_app_id is None or path is None:
        return None
    key = _read_key(path)
    orgs = settings.github_app_orgs
    return GitHubApp(
        settings.github_api_url, settings.github_app_id, key,
        None if orgs is None else {account.lower(): found for account, found in orgs.items()},
        str(settings.ca_bundle) if settings.ca_bundle else None,
    )  # fmt: skip


def _read_key(path: Path) -> RSAPrivateKey:
    with contextlib.suppress(ValueError, TypeError):
        key = load_pem_private_key(path.read_bytes(), None)
        if isinstance(key, RSAPrivateKey):
            return key
    raise ValueError(f"{path} holds no RSA private key: download the App's key from GitHub")


def _plain(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decoded(raw: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(raw, type=kind)
    except msgspec.MsgspecError as error:
        raise GitHubUnavailable(f"GitHub's API answers something else: {error}") from None


def _complaint(answer: httpx.Response) -> GitHubError:
    """Tell a refusal from a request to come again later, as GitHub documents its limits."""
    status, headers = answer.status_code, answer.headers
    said = f"GitHub answered {status} to {answer.request.method} {answer.request.url.path}"
    limited = status == 429 or (
        status == 403 and ("retry-after" in headers or headers.get("x-ratelimit-remaining") == "0")
    )
    if limited or status >= 500:
        return GitHubUnavailable(said, _wait(headers))
    return GitHubRefused(said, status)


def _wait(headers: httpx.Headers) -> float | None:
    """Return the seconds that GitHub wants to be left alone, as far as it says so."""
    try:
        if "retry-after" in headers:
            wait = float(headers["retry-after"])
        elif headers.get("x-ratelimit-remaining") == "0":
            wait = float(headers["x-ratelimit-reset"]) - time.time()
        else:
            return None
    except (ValueError, KeyError):
        return None
    return min(max(wait, 1.0), _LONGEST_WAIT)
