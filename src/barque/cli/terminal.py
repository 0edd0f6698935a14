"""A session at the terminal of whoever runs the program: each key goes there as it is typed."""

import os
import select
import signal
import sys
import termios
import threading
import tty
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import TextIO

from barque.client import Session

_STDIN, _STDOUT = 0, 1
_CHUNK = 65536
# What a person types where input ends.
_END = b"\x04"
_WINDOW, _OVER = b"w", b"o"


def window() -> tuple[int, int]:
    """Return the rows and columns of the terminal; without one, what is usual."""
    with suppress(OSError):
        found = os.get_terminal_size(_STDOUT)
        if found.lines and found.columns:
            return found.lines, found.columns
    return 24, 80


def attend(session: Session, *, terminal: bool) -> int:
    """Pass everything on, both ways, until the program there ends; return its exit code."""
    with _input_to(session, terminal), _raw(terminal and os.isatty(_STDIN)):
        for output in session:
            _write(sys.stderr if output.is_error else sys.stdout, output.data)
    return session.exit_code or 0


def _write(stream: TextIO, data: bytes) -> None:
    stream.buffer.write(data)
    stream.buffer.flush()


@contextmanager
def _raw(wanted: bool) -> Iterator[None]:
    """Have every key reach the program there, Ctrl-C too; afterwards all is as it was."""
    if not wanted:
        yield
        return
    before = termios.tcgetattr(_STDIN)
    try:
        tty.setraw(_STDIN)
        yield
    finally:
        termios.tcsetattr(_STDIN, termios.TCSADRAIN, before)


@contextmanager
def _input_to(session: Session, terminal: bool) -> Iterator[None]:
    """Pass on input in a thread of its own, and the window's size whenever it changes."""
    wake, waker = os.pipe()

    def resized(_: int, __: FrameType | None) -> None:
        os.write(waker, _WINDOW)

    def ended(number: int, _: FrameType | None) -> None:
        # As if it were the program's own decision, so that the terminal is put in order.
        raise SystemExit(128 + number)

    handlers = {signal.SIGWINCH: resized, signal.SIGTERM: ended, signal.SIGHUP: ended}
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    reader = threading.Thread(target=_pass_on, args=(session, wake, terminal), daemon=True)
    reader.start()
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        os.write(waker, _OVER)


def _pass_on(session: Session, wake: int, terminal: bool) -> None:
    watched = [_STDIN, wake]
    while True:
        ready, _, _ = select.select(watched, [], [])
        if wake in ready:
            if _OVER in os.read(wake, _CHUNK):
                return
            session.resize(*window())
        elif not _pass_input(session, terminal):
            watched.remove(_STDIN)


def _pass_input(session: Session, terminal: bool) -> bool:
    """Pass on what was typed; returns whether there may be more."""
    try:
        data = os.read(_STDIN, _CHUNK)
    except OSError:
        # The terminal is gone.
        data = b""
    if data:
        session.send(data)
    elif terminal:
        session.send(_END)
    else:
        session.end_input()
    return bool(data)
