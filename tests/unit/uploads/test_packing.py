"""What is packed of a folder: as Git would, and as Docker would."""

import io
import os
import subprocess
import tarfile
from pathlib import Path

import pytest

from barque.client.packing import CannotPack, listed, packed
from barque.uploads.archive import Bounds
from barque.uploads.unpacking import unpack

BOUNDS = Bounds(size=10 * 1024 * 1024)


def write(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x")


def git(folder: Path, *arguments: str) -> None:
    who = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    subprocess.run(["git", *who, "-C", str(folder), *arguments], check=True, capture_output=True)


@pytest.mark.parametrize("repository", [True, False])
def test_what_git_ignores_stays_here(tmp_path: Path, repository: bool) -> None:
    write(tmp_path, "app.py", "node_modules/x", "build/out", "sub/keep.log", "sub/x.log", "Ä b")
    write(tmp_path, ".barque/admin.key", ".barque-link", "sub/.git-like")
    (tmp_path / "sub" / ".gitignore").write_text("!keep.log\n")
    (tmp_path / ".gitignore").write_text("node_modules\nbuild/\n*.log\n")
    (tmp_path / "link").symlink_to("app.py")
    (tmp_path / "gone").symlink_to("nowhere")
    expected = [".gitignore", "app.py", "gone", "link", "sub/.git-like", "sub/.gitignore",
                "sub/keep.log", "Ä b"]  # fmt: skip
    if repository:
        git(tmp_path, "init", "-q")
        write(tmp_path, "tracked.log", "deleted")
        git(tmp_path, "add", "-f", "tracked.log", "deleted", "app.py")
        (tmp_path / "deleted").unlink()
        # What is committed is not ignored.
        expected.append("tracked.log")
    assert listed(tmp_path, None, "Dockerfile") == sorted(expected)


def test_a_repository_within_is_looked_into(tmp_path: Path) -> None:
    write(tmp_path, "top", "lib/code", "lib/x.o")
    (tmp_path / "lib" / ".gitignore").write_text("*.o\n")
    git(tmp_path / "lib", "init", "-q")
    git(tmp_path / "lib", "add", "code")
    git(tmp_path / "lib", "commit", "-qm", "x")
    assert listed(tmp_path, None, "Dockerfile") == ["lib/.gitignore", "lib/code", "top"]
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "lib", "top")
    assert listed(tmp_path, None, "Dockerfile") == ["lib/.gitignore", "lib/code", "top"]
    assert listed(tmp_path / "lib", None, "Dockerfile") == [".gitignore", "code"]


@pytest.mark.parametrize(
    ("ignored", "left"),
    [
        ("docs", ["a.md", "src/a.md", "src/docs/c"]),
        ("**/docs", ["a.md", "src/a.md"]),
        ("*.md", ["docs/b", "src/a.md", "src/docs/c"]),
        ("**/*.md\n!src/a.md", ["docs/b", "src/a.md", "src/docs/c"]),
        ("src\n!src/docs", ["a.md", "docs/b", "src/docs/c"]),
        ("# docs\n\n ./docs/ \n/src", ["a.md"]),
        ("*", []),
    ],
)
def test_what_docker_ignores_stays_here(tmp_path: Path, ignored: str, left: list[str]) -> None:
    write(tmp_path, "a.md", "docs/b", "src/a.md", "src/docs/c", "Dockerfile", "Procfile")
    (tmp_path / ".dockerignore").write_text(ignored)
    kept = [".dockerignore", "Dockerfile", "Procfile"]
    assert listed(tmp_path, None, "Dockerfile") == sorted([*kept, *left])


def test_the_folder_that_is_built_says_what_is_ignored(tmp_path: Path) -> None:
    write(tmp_path, "a", "api/a", "api/b", "api/Dockerfile.web")
    (tmp_path / ".dockerignore").write_text("*\n")
    (tmp_path / "api" / ".dockerignore").write_text("a\n")
    found = listed(tmp_path, "api", "Dockerfile")
    assert found == [".dockerignore", "a", "api/.dockerignore", "api/Dockerfile.web", "api/b"]
    (tmp_path / "api" / "Dockerfile.web.dockerignore").write_text("b\n")
    assert "api/b" not in listed(tmp_path, "api", "Dockerfile.web")


def test_what_is_packed_is_what_is_unpacked(tmp_path: Path) -> None:
    folder, into = tmp_path / "folder", tmp_path / "into"
    write(folder, "deep/" * 20 + "x" * 200, os.fsdecode(b"\xff"))
    (folder / "big").write_bytes(os.urandom(3_000_000))
    (folder / "run").write_text("#!")
    (folder / "run").chmod(0o700)
    (folder / "link").symlink_to("./run")
    paths = listed(folder, None, "Dockerfile")
    raw = b"".join(packed(folder, paths))
    unpack(io.BytesIO(raw), into, BOUNDS)
    assert sorted(str(p.relative_to(into)) for p in into.rglob("*") if not p.is_dir()) == paths
    assert (into / "big").read_bytes() == (folder / "big").read_bytes()
    assert (into / "link").stat().st_mode & 0o777 == 0o755
    assert raw == b"".join(packed(folder, paths)), "the same folder makes the same archive"
    with tarfile.open(fileobj=io.BytesIO(raw)) as archive:
        assert {(one.uid, one.uname, one.mtime) for one in archive} == {(0, "", 0)}


def test_what_cannot_be_packed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CannotPack, match="no folder"):
        listed(tmp_path / "nowhere", None, "Dockerfile")
    with pytest.raises(CannotPack, match="could not be packed"):
        b"".join(packed(tmp_path, ["gone"]))
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(CannotPack, match="neither a file nor a link"):
        b"".join(packed(tmp_path, ["pipe"]))
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(CannotPack, match="git is needed"):
        listed(tmp_path, None, "Dockerfile")
