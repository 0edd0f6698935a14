"""The commands of a page, and what it says that they print; and its programs.

In a fenced block of the language `console`, a line that begins with `$ ` is a command, one that
begins with `> ` goes on with it, and the others are what it prints, with `...` for anything. A
comment before a block may say that it is not run, and why; one that holds commands of its own is
run, and not shown. A block of `python` is a program, which is run where it stands among them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
_FENCE = re.compile(r"^( *)```(\S*)$")
_NOT_RUN = re.compile(r"^<!-- not run: (.+) -->$")
_HIDDEN = "<!-- run"
# What begins like this outside of such a block is a command that nothing runs.
_COMMAND = re.compile(
    r"^\s*(\$ |(sudo )?(barque|make|git|curl|docker|tar|pip|kill|cat|cp) [a-z.-])"
)


@dataclass
class Step:
    """A command, where it stands, and the lines that it prints."""

    page: str
    line: int
    command: str
    prints: list[str] = field(default_factory=list)


@dataclass
class Block:
    """A fenced block: its lines, and why it is not run, if it is not."""

    page: str
    line: int
    language: str
    lines: list[str]
    not_run: str | None = None


def blocks(page: Path) -> Iterator[Block]:
    """Read the fenced blocks of a page, and those that are hidden in its comments."""
    name, lines = str(page.relative_to(ROOT)), page.read_text().splitlines()
    number, reason = 0, None
    while number < len(lines):
        line = lines[number]
        number += 1
        if found := _NOT_RUN.match(line):
            reason = found[1]
        elif line.startswith(_HIDDEN):
            end = lines.index("-->", number)
            yield Block(name, number, "console", lines[number:end])
            number = end + 1
        elif found := _FENCE.match(line):
            end = next(n for n in range(number, len(lines)) if lines[n] == f"{found[1]}```")
            inside = [one.removeprefix(found[1]) for one in lines[number:end]]
            yield Block(name, number, found[2], inside, reason)
            number, reason = end + 1, None
        elif line.strip():
            reason = None


def steps(page: Path) -> list[Step]:
    """List the commands of a page that are run, in order."""
    found: list[Step] = []
    for block in blocks(page):
        if block.language == "python" and block.not_run is None:
            program = "\n".join(("python - <<'END'", *block.lines, "END"))
            found.append(Step(block.page, block.line, program))
        if block.language == "console" and block.not_run is None:
            for number, line in enumerate(block.lines, block.line + 1):
                if line.startswith("$ "):
                    found.append(Step(block.page, number, line[2:]))
                elif line.startswith("> "):
                    found[-1].command += f"\n{line[2:]}"
                else:
                    found[-1].prints.append(line)
    return found


def stray_commands(page: Path) -> list[str]:
    """List what looks like a command and stands where nothing runs it."""
    inside = False
    found: list[str] = []
    for number, line in enumerate(page.read_text().splitlines(), 1):
        if fence := _FENCE.match(line):
            inside = not inside and fence[2] == "console"
            continue
        indented = line.startswith("    ")
        if not inside and indented and _COMMAND.match(line):
            found.append(f"{page.relative_to(ROOT)}:{number}: {line.strip()}")
    other = (one for one in blocks(page) if one.language != "console")
    return found + [
        f"{block.page}:{block.line}: {line}"
        for block in other
        for line in block.lines
        if _COMMAND.match(line)
    ]


def agrees(printed: str, expected: list[str]) -> bool:
    """Tell whether a command printed what its page says, but for numbers, moments and ids."""
    wanted = [_line(one) for one in expected]
    pattern = "".join(r"(.*\n)*?" if one == r"\.\.\." else f"{one}\n" for one in wanted)
    pattern = re.sub(r"(?<=.)\\\.\\\.\\\.|\\\.\\\.\\\.(?=.)", r".*", pattern)
    return (
        re.fullmatch(pattern, "".join(f"{_plain(one)}\n" for one in printed.splitlines()))
        is not None
    )


def _line(expected: str) -> str:
    return re.escape(_plain(expected)).replace(r"\ ", " ")


def _plain(line: str) -> str:
    line = re.sub(r"\b[0-9a-f]{7,40}\b|\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "#", line)
    return re.sub(r"\s+", " ", re.sub(r"\d+(\.\d+)?", "#", line)).strip()
