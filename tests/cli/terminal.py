"""The program on a terminal of its own, as a person has it."""

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

_PATIENCE = 90.0
PROGRAM = Path(sys.executable).parent / "barque"


def on_terminal(
    arguments: list[str],
    environment: Mapping[str, str],
    folder: Path,
    *,
    typed: str = "",
    after: str = "",
    talk: Sequence[tuple[str, str]] = (),
    program: Path | str = PROGRAM,
) -> tuple[int, str]:
    """Run a program on a pseudo-terminal; returns its exit code, and all that was shown.

    Once `after` is shown, `typed` is typed; likewise all of `talk`, in turn.
    """
    near, far = pty.openpty()
    fcntl.ioctl(far, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    environment = {**environment, "TERM": "xterm-256color"}
    environment.pop("COLUMNS", None)
    # With a session of its own, so that Ctrl-C is for the program alone.
    command = ["setsid", "--ctty", "--wait", str(program), *arguments]
    process = subprocess.Popen(
        command, env=environment, cwd=folder, stdin=far, stdout=far, stderr=far
    )
    os.close(far)
    patience = threading.Timer(_PATIENCE, process.kill)
    patience.start()
    shown, said = b"", 0
    left = [*talk, *([(after, typed)] if typed else [])]
    while data := _read(near):
        shown += data
        while left and (at := shown.find(left[0][0].encode(), said)) >= 0:
            said = at + len(left[0][0].encode())
            os.write(near, left.pop(0)[1].encode())
    os.close(near)
    patience.cancel()
    return process.wait(30), shown.decode()


def _read(near: int) -> bytes:
    try:
        return os.read(near, 65536)
    except OSError:
        # The program has let go of its terminal.
        return b""
