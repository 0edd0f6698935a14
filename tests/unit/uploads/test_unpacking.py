"""Unpacking what people upload: what is sound is there, and nothing else is taken."""

import gzip
import io
import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from barque.uploads.archive import Bounds
from barque.uploads.names import ArchiveError
from barque.uploads.unpacking import check, unpack
from tests.unit.uploads.cases import leads_out

BOUNDS = Bounds(size=1024 * 1024, entries=100)

Member = tuple[str, bytes, bytes | str]


def archive(*members: Member) -> bytes:
    """Make an archive: each member has a name, a type, and its bytes or where it leads."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, kind, what in members:
            info = tarfile.TarInfo(name)
            info.type, info.mode = kind, 0o7755
            if isinstance(what, str):
                info.linkname = what
                tar.addfile(info)
            else:
                info.size = len(what)
                tar.addfile(info, io.BytesIO(what))
    return made.getvalue()


def file(name: str, text: bytes = b"x") -> Member:
    return (name, tarfile.REGTYPE, text)


def link(name: str, target: str) -> Member:
    return (name, tarfile.SYMTYPE, target)


def twin(name: str, target: str) -> Member:
    return (name, tarfile.LNKTYPE, target)


def refusal(raw: bytes, into: Path, bounds: Bounds = BOUNDS) -> str:
    with pytest.raises(ArchiveError) as checked:
        check(io.BytesIO(raw), bounds)
    with pytest.raises(ArchiveError) as refused:
        unpack(io.BytesIO(raw), into, bounds)
    assert str(checked.value) == str(refused.value)
    return str(refused.value)


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_what_is_sound_is_there(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    long = "/".join(["n" * 200] * 4)
    raw = archive(
        ("./", tarfile.DIRTYPE, b""), file("./run", b"#!"), file("a/b/c", b"y" * 5000),
        ("a", tarfile.DIRTYPE, b""), link("a/up", "../run"), link("l", "./a//b"),
        twin("other", "run"), file(long, b"deep"), file("Ärger", b""), file("\udcff", b"raw"),
    )  # fmt: skip
    into = tmp_path / "into"
    unpack(io.BytesIO(pack(raw)), into, BOUNDS)
    assert (into / "a" / "up").read_text() == (into / "other").read_text() == "#!"
    assert (into / "l" / "c").read_bytes() == b"y" * 5000
    assert (into / long).read_text() == "deep"
    assert (into / os.fsdecode(b"\xff")).read_text() == "raw"
    assert (into / "run").stat().st_mode & 0o7777 == 0o755
    assert leads_out(into) == []


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ([file("../canary")], "leads out of the archive"),
        ([file("a/../../canary")], "leads out of the archive"),
        ([file("/canary")], "leads out of the archive"),
        ([link("l", "../canary")], "leads out of the source"),
        ([link("l", "/canary")], "leads out of the source"),
        ([link("a/l", "..")], None),
        ([link("a/l", "../..")], "leads out of the source"),
        # Each alone seems to stay within; followed one after the other they do not.
        ([link("a/l", ".."), link("m", "a/l/..")], "leads out of the source"),
        ([link("l", "a"), file("l/x")], "which is no folder"),
        ([link("l", "."), file("l")], "twice"),
        ([file("l"), link("l", "x")], "twice"),
        ([file("a"), file("./a")], "twice"),
        ([file("a"), file("a/b")], "which is no folder"),
        ([("a", tarfile.DIRTYPE, b""), file("a")], "twice"),
        ([twin("t", "../canary")], "leads out of the archive"),
        ([twin("t", "nothing")], "no file before it"),
        ([link("l", "x"), twin("t", "l")], "no file before it"),
        ([("d", tarfile.CHRTYPE, "")], "is a device"),
        ([("d", tarfile.BLKTYPE, "")], "is a device"),
        ([("p", tarfile.FIFOTYPE, "")], "is a named pipe"),
        ([("s", tarfile.GNUTYPE_SPARSE, "")], "is a sparse file"),
        ([file("x" * 256)], "too long a name"),
        ([file("/".join(["a"] * 65))], "too deep"),
        ([file("y/" * 500 + "y" * 100)], "too long a name"),
        ([file(f"{n}") for n in range(101)], "over 100 files"),
        ([file("big", bytes(1024 * 1024))], "over 1 MiB"),
    ],
)  # fmt: skip
def test_what_means_harm(tmp_path: Path, members: list[Member], said: str | None) -> None:
    (tmp_path / "canary").write_text("untouched")
    into = tmp_path / "into"
    raw = archive(*members)
    if said is None:
        unpack(io.BytesIO(raw), into, BOUNDS)
    else:
        assert said in refusal(raw, into)
    assert (tmp_path / "canary").read_text() == "untouched"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["canary", "into"]
    assert leads_out(into) == []


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    raw = gzip.compress(archive(file("zeros", bytes(20 * 1024 * 1024))))
    assert len(raw) < 50_000
    assert "BARQUE_UPLOAD_UNPACKED_MB" in refusal(raw, tmp_path / "into")
    written = sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file())
    assert written <= BOUNDS.size


def test_headers_say_only_so_much(tmp_path: Path) -> None:
    more = tarfile.TarInfo("more")
    more.type, more.size = tarfile.GNUTYPE_LONGNAME, 10**11
    assert "far too long" in refusal(more.tobuf(tarfile.GNU_FORMAT), tmp_path / "a")
    more.size = 0
    assert "too much of one file" in refusal(more.tobuf(tarfile.GNU_FORMAT) * 100, tmp_path / "b")
    pax = tarfile.TarInfo("pax")
    pax.type, pax.size = tarfile.XHDTYPE, 512
    for number, records in enumerate((b"9 a=b\n", b"0 a=b\n", b"x", b"6 a=b\n", b"\xff" * 512)):
        raw = pax.tobuf(tarfile.GNU_FORMAT) + records.ljust(512, b"\0") + archive(file("a"))
        assert "extended header" in refusal(raw, tmp_path / str(number))


def test_what_is_cut_short_or_no_archive(tmp_path: Path) -> None:
    whole = archive(file("a", b"y" * 2000), file("b"))
    packed = gzip.compress(whole)
    for number, raw in enumerate((whole[:700], whole[:2560], packed[:-30], packed[:-4], b"")):
        assert "cut short" in refusal(raw, tmp_path / f"short{number}")
    flipped = bytearray(packed)
    flipped[-6] ^= 1
    assert "damaged" in refusal(bytes(flipped), tmp_path / "flipped")
    for number, raw in enumerate((b"\x1f\x8b", b"PK\x03\x04" * 200, b"{}" * 600)):
        assert refusal(raw, tmp_path / f"none{number}")
