"""Submodules: from where, and from where not; and the real git that brings them."""

import subprocess
from pathlib import Path

import pytest

from barque.git.cli import GitSource
from barque.git.port import SourceError
from barque.git.submodules import submodule_address as address

HOST = "https://github.com"
HERE = f"{HOST}/acme/shop"


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("../lib.git", f"{HOST}/acme/lib.git"), ("../../other/lib", f"{HOST}/other/lib"),
        ("./lib", f"{HERE}/lib"), ("https://gitlab.com/a/b", "https://gitlab.com/a/b"),
        ("git@github.com:acme/lib.git", f"{HOST}/acme/lib.git"),
        ("ssh://git@github.com:22/acme/lib", f"{HOST}/acme/lib"),
        ("ssh://git@example.org/acme/lib", "https://example.org/acme/lib"),
    ],
)  # fmt: skip
def test_where_a_submodule_is(said: str, found: str) -> None:
    assert address("lib", said, HERE, HOST) == found


@pytest.mark.parametrize(
    "said",
    [
        "file:///srv/git/a", "/srv/git/a", "ext::sh -c x", "http://10.0.0.1/a", "git://a/b",
        "https://user:secret@github.com/a/b", "../../../../../etc", "--upload-pack=x", "",
        "file:///srv/git/../../root/a",
    ],
)  # fmt: skip
def test_where_no_submodule_is_fetched_from(said: str) -> None:
    for base in (HOST, "file:///srv/git"):
        if said.startswith("file:///srv/git/a") and base.startswith("file"):
            continue
        with pytest.raises(SourceError) as refused:
            address("lib", said, f"{base}/acme/shop", base)
        assert "secret" not in str(refused.value)


def git(folder: Path, *arguments: str) -> str:
    who = [
        "-c",
        "user.name=t",
        "-c",
        "user.email=t@example.org",
        "-c",
        "protocol.file.allow=always",
    ]
    done = subprocess.run(
        ["git", *who, "-C", str(folder), *arguments], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def repository(folder: Path, name: str) -> Path:
    made = folder / "acme" / name
    made.mkdir(parents=True)
    git(made, "init", "-q", "-b", "main")
    (made / f"{name}.txt").write_text(name)
    git(made, "add", "-A")
    git(made, "commit", "-qm", "one")
    return made


def include(outer: Path, inner: Path, url: str) -> None:
    git(outer, "submodule", "add", "-q", str(inner), "below/it")
    git(outer, "config", "-f", ".gitmodules", "submodule.below/it.url", url)
    git(outer, "add", "-A")
    git(outer, "commit", "-qm", "with a submodule")


async def test_submodules_come_along(tmp_path: Path) -> None:
    shop, lib, deep = (repository(tmp_path / "git", name) for name in ("shop", "lib", "deep"))
    include(lib, deep, "../deep")
    include(shop, lib, "../lib")
    # What is meant is the commit, not whatever the branch is at now.
    (lib / "lib.txt").write_text("newer")
    git(lib, "commit", "-qam", "newer")
    source, into = GitSource(f"file://{tmp_path}/git", tmp_path / "known_hosts"), tmp_path / "into"
    checkout = await source.fetch("acme/shop", None, into)
    assert checkout.commit_sha == git(shop, "rev-parse", "HEAD")
    found = [str(path.relative_to(into)) for path in into.rglob("*.txt")]
    assert sorted(found) == ["below/it/below/it/deep.txt", "below/it/lib.txt", "shop.txt"]
    assert (into / "below" / "it" / "lib.txt").read_text() == "lib"
    assert not list(into.rglob(".git"))


async def test_submodules_that_cannot_be_fetched(tmp_path: Path) -> None:
    shop, lib = (repository(tmp_path / "git", name) for name in ("shop", "lib"))
    include(shop, lib, "../gone")
    source = GitSource(f"file://{tmp_path}/git", tmp_path / "known_hosts")
    with pytest.raises(SourceError, match=r"the submodule below/it at file.*gone.*was not found"):
        await source.fetch("acme/shop", None, tmp_path / "a")
    git(shop, "config", "-f", ".gitmodules", "submodule.below/it.url", f"file://{tmp_path}/x")
    git(shop, "commit", "-qam", "elsewhere")
    with pytest.raises(SourceError, match="which is not fetched"):
        await source.fetch("acme/shop", None, tmp_path / "b")
    (shop / ".gitmodules").unlink()
    git(shop, "commit", "-qam", "without")
    with pytest.raises(SourceError, match=r"has no address in \.gitmodules"):
        await source.fetch("acme/shop", None, tmp_path / "c")
