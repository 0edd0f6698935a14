"""Fetching private repositories: with a token over HTTP, and with a key over SSH."""

import asyncio
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from barque.credentials.keys import BadKey, new_key, read_key
from barque.git.cli import GitSource
from barque.git.port import Credential, RepositoryNotFound, SourceError, SshKey, Token
from tests.github.ssh import SshHost, serving_ssh
from tests.github.standin import GitHub, serving_github


@pytest.fixture
def repositories(tmp_path: Path) -> Path:
    root = tmp_path / "repositories"
    repository = root / "acme" / "api"
    subprocess.run(["git", "init", "-q", "-b", "main", str(repository)], check=True)
    (repository / "file").write_text("private")
    who = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    for command in (["add", "-A"], ["commit", "-q", "-m", "first"]):
        subprocess.run(["git", *who, "-C", str(repository), *command], check=True)
    return root


@pytest.fixture
def github(repositories: Path) -> Iterator[GitHub]:
    with serving_github(repositories) as running:
        yield running


@pytest.fixture
def ssh(repositories: Path) -> Iterator[SshHost]:
    with serving_ssh(repositories) as running:
        yield running


def command_lines() -> Iterator[str]:
    for one in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            yield one.read_bytes().replace(b"\0", b" ").decode(errors="replace")


async def fetched(
    source: GitSource, into: Path, credential: Credential | None, secret: str
) -> tuple[str, str]:
    """Fetch, and return the file's text and every command line that was seen meanwhile."""
    seen: list[str] = []

    async def watch() -> None:
        while True:
            seen.extend(command_lines())
            await asyncio.sleep(0.01)

    watching = asyncio.create_task(watch())
    try:
        checkout = await source.fetch("acme/api", "main", into, credential)
    finally:
        watching.cancel()
    assert not (into / ".git").exists()
    found = "\n".join(seen)
    assert secret not in found
    return (checkout.path / "file").read_text(), found


async def test_a_token_opens_what_nobody_else_may_read(github: GitHub, tmp_path: Path) -> None:
    source = GitSource(github.url, tmp_path / "known_hosts")
    token = Token("x-access-token", github.own_token)
    text, seen = await fetched(source, tmp_path / "a", token, github.own_token)
    assert text == "private"
    assert "fetch" in seen, "the fetch itself was seen"
    for number, wrong in enumerate((None, Token("x", "ghp_wrong"))):
        with pytest.raises(RepositoryNotFound, match="git-credentials") as refused:
            await source.fetch("acme/api", "main", tmp_path / f"b{number}", wrong)
        assert "ghp_" not in str(refused.value)


async def test_a_key_opens_by_ssh_what_its_host_lets_it(ssh: SshHost, tmp_path: Path) -> None:
    private, public = new_key()
    known = tmp_path / "git" / "known_hosts"
    source = GitSource("https://127.0.0.1", known)
    key = SshKey("git", private, f"127.0.0.1:{ssh.port}")
    with pytest.raises(RepositoryNotFound, match="git-credentials"):
        await source.fetch("acme/api", "main", tmp_path / "a", key)
    ssh.allowed.append(public)
    text, seen = await fetched(source, tmp_path / "b", key, private.splitlines()[1])
    assert text == "private"
    assert "IdentityFile=/proc/" in seen
    assert set(ssh.asked) == {"/acme/api"}
    assert f"[127.0.0.1]:{ssh.port}" in known.read_text()
    written = "".join(one.read_text() for one in everything(tmp_path))
    assert private.splitlines()[1] not in written


def everything(folder: Path) -> list[Path]:
    return [one for one in folder.rglob("*") if one.is_file() and ".git" not in one.parts]


async def test_another_host_in_its_place_is_not_trusted(ssh: SshHost, tmp_path: Path) -> None:
    private, public = new_key()
    ssh.allowed.append(public)
    known = tmp_path / "known_hosts"
    _, another = new_key()
    known.write_text(f"[127.0.0.1]:{ssh.port} {another}\n")
    source = GitSource("https://127.0.0.1", known)
    key = SshKey("git", private, f"127.0.0.1:{ssh.port}")
    with pytest.raises(SourceError, match=f"remove its line from {known}"):
        await source.fetch("acme/api", "main", tmp_path / "a", key)
    assert not ssh.asked


def test_keys_are_read_in_every_form_and_checked(tmp_path: Path) -> None:
    for number, options in enumerate((["-t", "ed25519"], ["-t", "rsa", "-m", "PEM"])):
        file = tmp_path / f"key{number}"
        made = ["ssh-keygen", "-q", *options, "-N", "", "-f", str(file)]
        subprocess.run(made, check=True)
        private, public = read_key(file.read_text().replace("\n", "\r\n"))
        assert public.split()[:2] == file.with_suffix(".pub").read_text().split()[:2]
        assert read_key(private)[1] == public
    locked = tmp_path / "locked"
    made = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "a passphrase", "-f", str(locked)]
    subprocess.run(made, check=True)
    with pytest.raises(BadKey, match="passphrase"):
        read_key(locked.read_text())
    for wrong in ("", "secret", "-----BEGIN OPENSSH PRIVATE KEY-----\nsecret\n"):
        with pytest.raises(BadKey, match="no private key") as refused:
            read_key(wrong)
        assert "secret" not in str(refused.value)
