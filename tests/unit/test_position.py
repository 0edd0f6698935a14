"""Resuming a container's output: every line once, whatever its stamps."""

from hypothesis import given
from hypothesis import strategies as st

from barque.logs.position import Position, Unread
from barque.runtimes.output import Output
from barque.runtimes.port import LONGEST, OutputLine


def at(tenths: int) -> str:
    minutes, rest = divmod(tenths, 600)
    return f"2026-01-01T00:{minutes:02}:{rest // 10:02}.{rest % 10}00000000Z"


def engine(lines: list[OutputLine], since: str, each: bool) -> list[OutputLine]:
    """Tell again what is kept: older engines look at each stamp, newer ones for the first."""
    since = since.removesuffix("Z")
    if each:
        return [line for line in lines if line.at >= since]
    first = next((n for n, line in enumerate(lines) if line.at >= since), len(lines))
    return lines[first:]


# Of each line: the tenths of a second since the one before, and between its stamp and its place.
STEPS = st.lists(st.tuples(st.sampled_from([0, 0, 1, 30]), st.integers(0, 9)), max_size=40)


def written(steps: list[tuple[int, int]]) -> list[OutputLine]:
    clock, lines = 600, list[OutputLine]()
    for number, (step, early) in enumerate(steps):
        clock += step
        lines.append(OutputLine(at(clock - early), "stdout", str(number)))
    return lines


def read_all(lines: list[OutputLine]) -> Position:
    unread = Unread(Position())
    assert unread.among(lines) == lines
    return unread.position


@given(STEPS, st.lists(st.integers(0, 8), max_size=10), st.booleans(), st.data())
def test_each_line_once(
    steps: list[tuple[int, int]], cuts: list[int], each: bool, data: st.DataObject
) -> None:
    lines = written(steps)
    position, read = Position(), list[OutputLine]()
    for cut in [*cuts, len(lines)]:
        # What was written by now, and how much of what is told again is taken in before the cut.
        there = lines if cut == len(lines) else lines[: len(read) + data.draw(st.integers(0, 9))]
        told, unread = engine(there, position.since, each), Unread(position)
        taken = list[OutputLine]()
        while told and len(taken) < cut:
            size = data.draw(st.integers(1, 5))
            chunk, told = told[:size], told[size:]
            taken += unread.among(chunk)
        read, position = read + taken, unread.position
    assert read == lines


def tenths_of(stamp: str) -> int:
    return int(stamp[14:16]) * 600 + int(stamp[17:19]) * 10 + int(stamp[20])


@given(STEPS, st.data())
def test_a_file_that_is_told_twice(steps: list[tuple[int, int]], data: st.DataObject) -> None:
    lines, unread, read, told = written(steps), Unread(Position()), list[OutputLine](), 0
    while told < len(lines):
        end = data.draw(st.integers(told + 1, len(lines)))
        read += unread.among(lines[told:end])
        told, newest = end, max(line.at for line in lines[:end])
        begin = data.draw(st.integers(0, end - 1))
        if at(tenths_of(newest) - 100) <= lines[begin].at:
            read += unread.among(lines[begin:end])
    assert read == lines


@given(st.integers(30, 59), st.integers(1, 29))
def test_the_clock_is_set_back(before: int, back: int) -> None:
    """Minutes that come twice are read once, if some of the second time were before the cut."""
    lines = [OutputLine(at(600 * before + n), "stdout", f"a{n}") for n in range(3)]
    lines += [OutputLine(at(600 * (before - back) + n), "stdout", f"b{n}") for n in range(9)]
    for each in (True, False):
        position = read_all(lines[:5])
        told = engine(lines, position.since, each)
        assert Unread(position).among(told) == lines[5:]


def test_lines_that_look_alike() -> None:
    alike = [OutputLine(at(1), "stdout", "tick")] * 4
    for cut in range(4):
        position = read_all(alike[:cut])
        assert Unread(position).among(alike) == alike[cut:]


def test_the_engine_let_go_of_what_was_read() -> None:
    position = read_all([OutputLine(at(n), "stdout", str(n)) for n in (1, 2, 2, 3, 3)])
    later = [OutputLine(at(4), "stdout", "4"), OutputLine(at(4), "stdout", "4")]
    assert Unread(position).among(later) == later


def frame(kind: int, text: bytes) -> bytes:
    return bytes([kind, 0, 0, 0]) + len(text).to_bytes(4) + text


FRAMES = b"".join(
    frame(kind, text)
    for kind, text in [
        (1, b"1Z whole\n"), (1, b"2Z lo"), (2, b"3Z err\xc3\xa9\n"), (1, b"2Z ng \xc3"),
        (1, b"2Z \xa9\n"), (1, b"4Z \n"), (1, b"5Z a\rb c\r\n"), (1, b"6Z was killed"),
        (1, b"7Z lives\0again\n"), (2, b"8Z last"),
    ]
)  # fmt: skip
LINES = [
    OutputLine("1Z", "stdout", "whole"), OutputLine("3Z", "stderr", "erré"),
    OutputLine("2Z", "stdout", "long é"), OutputLine("4Z", "stdout", ""),
    OutputLine("5Z", "stdout", "a\rb c"), OutputLine("6Z", "stdout", "was killed"),
    OutputLine("7Z", "stdout", "lives\ufffdagain"), OutputLine("8Z", "stderr", "last"),
]  # fmt: skip


@given(st.sets(st.integers(1, len(FRAMES) - 1)))
def test_frames_may_be_cut_anywhere(cuts: set[int]) -> None:
    output, found, begin = Output(), list[OutputLine](), 0
    for end in [*sorted(cuts), len(FRAMES)]:
        found += output.lines(FRAMES[begin:end])
        begin = end
    assert found + output.rest() == LINES


def test_a_line_without_end_is_not_held() -> None:
    output = Output()
    for _ in range(64):
        assert output.lines(frame(1, b"1Z " + b"x" * 16384)) == []
    [line] = output.lines(frame(1, b"1Z end\n"))
    assert line.text == "x" * LONGEST
