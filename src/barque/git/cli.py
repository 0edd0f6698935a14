"""Fetching source with the `git` program."""

import asyncio
import copy
import os
import re
import shutil
from pathlib import Path

from barque.git.access import address, refusal, shown
from barque.git.port import (
    Checkout,
    Credential,
    RefNotFound,
    RepositoryNotFound,
    SourceError,
    SourceUnavailable,
)
from barque.git.submodules import addresses, gitlinks, submodule_address
from barque.subprocesses import run_program

_DEPTH_LIMIT = 5
_SHA = re.compile(r"[0-9a-f]{7,40}")
_REF = re.compile(r"(?!.*(\.\.|//|@\{|\.lock$|/$))[A-Za-z0-9_][A-Za-z0-9._/+@#-]*")
_UNREACHABLE = ("Could not resolve host", "Failed to connect", "timed out", "Connection refused")
_MISSING = (
    "not found", "does not exist", "does not appear to be a git", "Authentication failed",
    "Permission denied", "The requested URL returned error: 403",
)  # fmt: skip
# Nothing of the user's or machine's own git settings reaches a fetch, and it never asks.
_SETTINGS = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "true",
    "GIT_CONFIG_COUNT": "3",
    "GIT_CONFIG_KEY_0": "safe.directory",
    "GIT_CONFIG_VALUE_0": "*",
    "GIT_CONFIG_KEY_1": "core.hooksPath",
    "GIT_CONFIG_VALUE_1": os.devnull,
    "GIT_CONFIG_KEY_2": "gc.auto",
    "GIT_CONFIG_VALUE_2": "0",
    "LC_ALL": "C",
}


class GitSource:
    """Repositories below one address: `{base_url}/{owner/name}`."""

    def __init__(
        self, base_url: str, known_hosts: Path, ca_bundle: Path | None = None, timeout: float = 600
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._known_hosts = known_hosts
        self._timeout = timeout
        self._environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", **_SETTINGS}
        for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "HTTPS_PROXY", "NO_PROXY"):
            if name in os.environ:
                self._environment[name] = os.environ[name]
        if ca_bundle is not None:
            self._environment["GIT_SSL_CAINFO"] = str(ca_bundle)

    async def fetch(
        self, repository: str, ref: str | None, into: Path, credential: Credential | None = None
    ) -> Checkout:
        """Fetch one commit (see `Source.fetch`)."""
        if ref is not None and not _REF.fullmatch(ref):
            raise RefNotFound(f"'{ref}' is not the name of a branch or tag, nor a commit")
        base, known, own = self._base_url, self._known_hosts, self._environment
        try:
            with shown(credential, base, known, own) as more:
                async with asyncio.timeout(self._timeout):
                    return await self._with(address(base, credential), more)._fetch(
                        repository, ref, into
                    )
        except TimeoutError:
            raise SourceUnavailable(
                f"fetching {repository} took over {self._timeout:.0f} s: try again"
            ) from None

    def _with(self, base_url: str, environment: dict[str, str]) -> "GitSource":
        """Return the same source for one fetch, at the address and with the variables of that."""
        one = copy.copy(self)
        one._base_url, one._environment = base_url, {**self._environment, **environment}
        return one

    async def _fetch(self, repository: str, ref: str | None, into: Path) -> Checkout:
        url = self._address(f"{self._base_url}/{repository}")
        sha = await self._check_out(repository, url, ref, into)
        await self._fetch_submodules(repository, url, into)
        await asyncio.to_thread(shutil.rmtree, into / ".git")
        return Checkout(into, sha)

    async def _fetch_submodules(
        self, repository: str, url: str, into: Path, depth: int = 1
    ) -> None:
        """Fetch the submodules of what is checked out, and theirs. Raises `SourceError`."""
        listing = ("ls-tree", "-r", "-z", "--full-tree", "HEAD")
        found = gitlinks(await self._git(repository, "-C", str(into), *listing))
        if not found:
            return
        if depth > _DEPTH_LIMIT:
            raise SourceError(f"the submodules of '{repository}' nest too deeply")
        known = addresses(await self._gitmodules(repository, into))
        for path, sha in found.items():
            if path not in known:
                raise SourceError(
                    f"the submodule {path} has no address in .gitmodules: add it, or remove it"
                )
            there = self._address(submodule_address(path, known[path], url, self._base_url))
            try:
                await self._check_out(path, there, sha, into / path)
            except SourceError as error:
                raise SourceError(f"the submodule {path} at {there}: {error}") from None
            await self._fetch_submodules(path, there, into / path, depth + 1)
            await asyncio.to_thread(shutil.rmtree, into / path / ".git")

    async def _gitmodules(self, repository: str, into: Path) -> str:
        listing = ("config", "-z", "--blob", "HEAD:.gitmodules", "--list")
        try:
            return await self._git(repository, "-C", str(into), *listing)
        except SourceError:
            return ""

    async def _check_out(self, repository: str, url: str, ref: str | None, into: Path) -> str:
        """Fetch one commit of a repository, check it out, and return its name."""
        refs = await self._refs(repository, url)
        wanted = _choose(repository, refs, ref)
        await self._git(repository, "init", "-q", str(into))
        commit = "FETCH_HEAD"
        try:
            await self._git(repository, "-C", str(into), "fetch", "-q", "--depth", "1", url, wanted)
        except SourceError:
            if wanted in refs:
                raise
            # Not the tip of anything, and the host gives no others: fetch all, then look.
            await self._git(repository, "-C", str(into), "fetch", "-q", url, "+refs/*:refs/all/*")
            commit = wanted
        try:
            await self._git(repository, "-C", str(into), "checkout", "-q", "--detach", commit)
            sha = await self._git(repository, "-C", str(into), "rev-parse", "HEAD")
        except SourceError:
            raise _no_ref(repository, ref) from None
        return sha.strip()

    def _address(self, url: str) -> str:
        if url.startswith("file://") and not Path(url.removeprefix("file://")).exists():
            return f"{url}.git"
        return url

    async def _refs(self, repository: str, url: str) -> dict[str, str]:
        listing = await self._git(repository, "ls-remote", url)
        pairs = (line.split("\t") for line in listing.splitlines() if "\t" in line)
        return {name: sha for sha, name in pairs}

    async def _git(self, repository: str, *arguments: str) -> str:
        lines: list[str] = []
        code = await run_program(["git", *arguments], self._environment, lines.append)
        output = "\n".join(lines)
        if code == 0:
            return output
        if refused := refusal(output, self._known_hosts):
            raise refused
        if any(sign in output for sign in _UNREACHABLE):
            raise SourceUnavailable(f"{self._base_url} could not be reached: try again later")
        if any(sign in output for sign in _MISSING) or "could not read Username" in output:
            raise RepositoryNotFound(
                f"repository '{repository}' was not found at {self._base_url}, or may not be "
                "read: check github_repository and, if it is private, what 'barque "
                "git-credentials list' shows or where the GitHub App is installed"
            )
        raise SourceError(f"git could not fetch '{repository}': {lines[-1] if lines else code}")


def _choose(repository: str, refs: dict[str, str], ref: str | None) -> str:
    """Return what to fetch: the name of a ref, or a commit. Raises `RefNotFound`."""
    if not refs:
        raise RefNotFound(f"repository '{repository}' has no commits yet: push one")
    candidates = [f"refs/heads/{ref}", f"refs/tags/{ref}"] if ref else ["HEAD"]
    for name in candidates:
        if name in refs:
            return name
    if ref is not None and _SHA.fullmatch(ref):
        return ref
    raise _no_ref(repository, ref)


def _no_ref(repository: str, ref: str | None) -> RefNotFound:
    what = f"no branch, tag or commit '{ref}'" if ref else "no default branch"
    return RefNotFound(f"repository '{repository}' has {what}: name one that it has")
