import os
from pathlib import Path

import pytest

from barque.plans.plan import PlanError
from barque.plans.tree import Tree, is_plain


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    root = tmp_path / "repository"
    (root / "app").mkdir(parents=True)
    (root / "app" / "main.py").write_text("x = 1")
    (tmp_path / "secret").write_text("not for plans")
    return Tree(root)


@pytest.mark.parametrize(
    "path", ["../secret", "app/../../secret", "/etc/passwd", "app", "", ".", "\0", "x" * 5000,
             "app/main.py/x", "nothing"],
)  # fmt: skip
def test_only_files_of_the_tree_are_there(tree: Tree, path: str) -> None:
    assert not tree.has(path)
    assert tree.text(path) is None


def test_links_count_as_if_they_were_not_there(tree: Tree) -> None:
    (tree.root / "out").symlink_to("../secret")
    (tree.root / "in").symlink_to("app/main.py")
    (tree.root / "folder").symlink_to("..")
    (tree.root / "loop").symlink_to("loop")
    for path in ("out", "in", "folder/secret", "loop"):
        assert tree.text(path) is None, path
    assert tree.paths == ("app/main.py",)
    for path in ("folder", "out", "app/..", "nowhere", "app/main.py"):
        with pytest.raises(PlanError, match="root_directory"):
            tree.below(path)
    assert tree.below("app").paths == ("main.py",)


def test_reading_is_bounded_and_never_waits(tree: Tree) -> None:
    (tree.root / "huge").write_bytes(b"x" * (1024 * 1024 + 1))
    os.mkfifo(tree.root / "pipe")
    assert tree.text("huge") is None
    assert tree.text("pipe") is None
    assert tree.has("huge")
    for number in range(5200):
        (tree.root / f"file{number}").touch()
    assert len(Tree(tree.root).paths) == 5000


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"flask", "flask"), (b"\xef\xbb\xbfflask", "flask"), ("flask".encode("utf-16"), "flask"),
        (b"a\0b", "a\ufffdb"), (b"\xff\xffx", "\ufffd\ufffdx"),
    ],
)  # fmt: skip
def test_texts(tree: Tree, raw: bytes, text: str) -> None:
    (tree.root / "file").write_bytes(raw)
    assert tree.text("file") == text


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("package.json", b"{"), ("package.json", b"[]"), ("package.json", b"9" * 9999),
        ("package.json", b'{"a":' * 100_000), ("pyproject.toml", b"a = "),
        ("pyproject.toml", b"a = " + b"[" * 100_000), ("pyproject.toml", b"\xff = 1"),
    ],
)  # fmt: skip
def test_tables_that_cannot_be_read(tree: Tree, name: str, raw: bytes) -> None:
    (tree.root / name).write_bytes(raw)
    with pytest.raises(PlanError, match=name):
        tree.table(name)


def test_only_plain_names_are_listed(tree: Tree) -> None:
    for name in ("-rf", "a b", "a$b", "a\nb", ".env", "ä", "a'b", os.fsdecode(b"\xff"), "ok.py"):
        (tree.root / name).touch()
    assert tree.paths == ("ok.py", "app/main.py")
    assert is_plain("cmd/web_1/main-2.go")
    assert not any(map(is_plain, ["", "/a", "a/", "a//b", "../a", "a\n", "a;b", "x" * 256]))
