"""The bare repositories of services, by the `git` program."""

import asyncio
import contextlib
import os
import shutil
import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import BinaryIO

from barque.subprocesses import run_program

NO_COMMIT = "0" * 40
_CHUNK = 64 * 1024
_SUBMODULE = "160000 "
# What is pushed is built as it is, whatever it says of archives of itself.
_ATTRIBUTES = "* -export-ignore -export-subst\n"
# Each hook asks the platform, at the other end of two pipes, and prints what that says.
_HOOK = """#!/bin/sh
if [ -z "$BARQUE_TELL" ]; then
    echo "push to the address of the platform, which 'barque git remote' adds"
    exit 1
fi
{ printf '%s %s\\n' "${0##*/}" "$GIT_QUARANTINE_PATH"; cat; echo .; } >"/dev/fd/$BARQUE_TELL"
while IFS= read -r line; do
    case "$line" in
    "say "*) printf '%s\\n' "${line#say }" ;;
    "end "*) exit "${line#end }" ;;
    esac
done <"/dev/fd/$BARQUE_HEAR"
echo "the platform ended meanwhile. What was pushed is not lost: it is built and deployed when"
echo "the platform is back. Push again to see how that goes: nothing is built twice."
exit 1
"""


class GitFailed(Exception):
    """The `git` program did not do what it was asked for; the message is what it said."""


class Repositories:
    """One repository for each service that was ever pushed to; `limit` bounds a push, in bytes."""

    def __init__(self, folder: Path, limit: int) -> None:
        self.folder = folder
        self._hooks = folder / "hooks"
        self._limit = limit

    def environment(self) -> dict[str, str]:
        """Return the whole environment of a `git`: none of the platform's own gets into it."""
        settings = {
            "safe.directory": "*", "core.hooksPath": str(self._hooks), "gc.autoDetach": "false",
            "receive.maxInputSize": str(self._limit), "receive.shallowUpdate": "true",
        }  # fmt: skip
        environment = {
            "PATH": os.environ["PATH"], "HOME": "/nonexistent", "LC_ALL": "C",
            "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_COUNT": str(len(settings)),
        }  # fmt: skip
        for number, (name, value) in enumerate(settings.items()):
            environment |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
        return environment

    async def of(self, service_id: str) -> Path:
        """Return the repository of a service, made unless there is one. Raises `GitFailed`."""
        repository = self.folder / f"{service_id}.git"
        if not repository.is_dir():
            await asyncio.to_thread(self._write_hooks)
            made = Path(tempfile.mkdtemp(".part", dir=self.folder))
            await self._git("init", "-q", "--bare", "--initial-branch=main", str(made))
            await asyncio.to_thread(_adopt, made, repository)
        return repository

    async def tip(self, repository: Path, ref: str) -> str:
        """Return the commit that a ref names, or `NO_COMMIT`."""
        try:
            return await self._git("-C", str(repository), "rev-parse", "-q", "--verify", ref)
        except GitFailed:
            return NO_COMMIT

    async def follow(self, repository: Path, ref: str) -> None:
        """Have the repository's HEAD be a branch, which is what a clone checks out."""
        await self._git("-C", str(repository), "symbolic-ref", "HEAD", ref)

    async def submodules(self, repository: Path, quarantine: Path, commit: str) -> list[str]:
        """List the submodules of a commit, which no push brings along. Raises `GitFailed`."""
        listing = ("ls-tree", "-r", "--full-tree", commit)
        said = await self._git("-C", str(repository), *listing, more=_seen(repository, quarantine))
        return [
            line.partition("\t")[2] for line in said.splitlines() if line.startswith(_SUBMODULE)
        ]

    async def archive(
        self, repository: Path, quarantine: Path, commit: str, file: BinaryIO, limit: int
    ) -> None:
        """Write the files of a commit as a tar archive, which is cut off when it is over `limit`.

        The commit's objects may still be in `quarantine`. Raises `GitFailed`.
        """
        process = await asyncio.create_subprocess_exec(
            "git", "-C", str(repository), "archive", "--format=tar", commit,
            env={**self.environment(), **_seen(repository, quarantine)},
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert process.stdout is not None  # noqa: S101 - a pipe was asked for
        written = 0
        try:
            while written <= limit and (chunk := await process.stdout.read(_CHUNK)):
                written += len(chunk)
                await asyncio.to_thread(file.write, chunk)
            if written <= limit and await process.wait() != 0:
                raise GitFailed(f"git could not read the files of {commit}")
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()

    async def bundle(self, repository: Path, file: Path) -> str | None:
        """Write all of a repository to a file, also while it is pushed to; return its HEAD.

        Returns None, and writes nothing, when nothing was ever pushed. Raises `GitFailed`.
        """
        if not await self._git("-C", str(repository), "for-each-ref", "--count=1"):
            return None
        await self._git("-C", str(repository), "bundle", "create", "-q", str(file), "--all")
        return await self._git("-C", str(repository), "symbolic-ref", "HEAD")

    async def unbundle(self, service_id: str, file: Path, head: str) -> None:
        """Make the repository of a service as it was bundled. Raises `GitFailed`."""
        repository = await self.of(service_id)
        refs = "+refs/*:refs/*"
        await self._git("-C", str(repository), "fetch", "-q", "--no-tags", str(file), refs)
        await self.follow(repository, head)

    def present(self) -> set[str]:
        """Return the ids of the services that have a repository."""
        return {there.stem for there in self.folder.glob("*.git")}

    def remove(self, services: Collection[str]) -> None:
        """Remove the repositories of services."""
        for service_id in services:
            shutil.rmtree(self.folder / f"{service_id}.git", ignore_errors=True)

    def _write_hooks(self) -> None:
        self._hooks.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name in ("pre-receive", "post-receive"):
            made = self._hooks / f"{name}.part"
            made.write_text(_HOOK)
            made.chmod(0o700)
            made.rename(self._hooks / name)

    async def _git(self, *arguments: str, more: Mapping[str, str] | None = None) -> str:
        lines: list[str] = []
        environment = {**self.environment(), **(more or {})}
        code = await run_program(["git", *arguments], environment, lines.append)
        if code != 0:
            raise GitFailed(lines[-1] if lines else f"git ended with {code}")
        return "\n".join(lines)


def _adopt(made: Path, repository: Path) -> None:
    """Give a new repository its name, unless somebody was quicker: what is there stays."""
    (made / "info").mkdir(exist_ok=True)
    (made / "info" / "attributes").write_text(_ATTRIBUTES)
    with contextlib.suppress(OSError):
        made.rename(repository)
    shutil.rmtree(made, ignore_errors=True)


def _seen(repository: Path, quarantine: Path) -> dict[str, str]:
    """Return what makes objects visible that are pushed and not yet accepted."""
    objects = repository / "objects"
    if not quarantine.resolve().is_relative_to(objects.resolve()):
        raise GitFailed("the push says that its objects are elsewhere")
    return {
        "GIT_OBJECT_DIRECTORY": str(quarantine), "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(objects)
    }  # fmt: skip
