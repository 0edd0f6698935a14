"""What the hooks of a push ask, and what they are told: over two pipes that only they inherit.

No address, token or key is needed for it, and when the platform dies the hooks see it at once.
"""

import asyncio
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_UNPRINTABLE = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class Update:
    """A ref that a push moves: from the commit `old` to `new`, either of which may be none."""

    old: str
    new: str
    ref: str


@dataclass(frozen=True, slots=True)
class Question:
    """A hook: its name, where the pushed objects are, and what is to move or has moved."""

    hook: str
    quarantine: Path
    updates: list[Update]


class Conversation:
    """This end of the pipes; `theirs` are the descriptors for whoever the hooks descend from."""

    def __init__(self) -> None:
        self._tell, told = os.pipe()
        heard, self._hear = os.pipe()
        self.theirs = (told, heard)
        self._reader = asyncio.StreamReader()
        self._writer: Any = None
        self._transports: list[asyncio.BaseTransport] = []

    @property
    def environment(self) -> dict[str, str]:
        """Return what the hooks find the pipes by."""
        told, heard = self.theirs
        return {"BARQUE_TELL": str(told), "BARQUE_HEAR": str(heard)}

    async def begin(self) -> None:
        """Give the other ends up, once they are inherited, and listen."""
        for descriptor in self.theirs:
            os.close(descriptor)
        loop = asyncio.get_running_loop()
        protocol = asyncio.StreamReaderProtocol(self._reader)
        reading, _ = await loop.connect_read_pipe(lambda: protocol, os.fdopen(self._tell, "rb", 0))
        writing, flow = await loop.connect_write_pipe(
            asyncio.streams.FlowControlMixin, os.fdopen(self._hear, "wb", 0)
        )
        self._writer = asyncio.StreamWriter(writing, flow, None, loop)
        self._transports = [reading, writing]

    async def asked(self) -> Question | None:
        """Return what the next hook asks, or None when there is nobody left to ask."""
        lines: list[str] = []
        while not lines or lines[-1] != ".":
            line = await self._reader.readline()
            if not line:
                return None
            lines.append(os.fsdecode(line).rstrip("\n"))
        hook, _, quarantine = lines[0].partition(" ")
        updates = [Update(*line.split(" ", 2)) for line in lines[1:-1]]
        return Question(hook, Path(quarantine), updates)

    async def say(self, text: str) -> None:
        """Show a line to whoever pushes. It may be that nobody listens any more."""
        await self._write(f"say {_UNPRINTABLE.sub('', text)}\n")

    async def end(self, code: int) -> None:
        """End the hook that asked: with 0 it has its way."""
        await self._write(f"end {code}\n")

    def close(self) -> None:
        """Close this end."""
        for transport in self._transports:
            transport.close()

    async def _write(self, line: str) -> None:
        self._writer.write(line.encode(errors="backslashreplace"))
        await self._writer.drain()
