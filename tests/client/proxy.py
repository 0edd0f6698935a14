"""Between client and platform: loses answers, and breaks connections, when told to."""

import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

from tests.conftest import free_port


class Proxy:
    """Hands bytes on between a port of its own and the platform's."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._port = free_port()
        self._listening = socket.create_server(("127.0.0.1", self._port))
        self._lose = self._breaks = self._allowed = 0
        self.lost = self.broken = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def lose_answers(self, count: int) -> None:
        """Hang up instead of handing on the next answers."""
        self._lose = count

    def break_streams_after(self, bytes_of_events: int, times: int) -> None:
        """Hang up amid the next event streams."""
        self._allowed, self._breaks = bytes_of_events, times

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listening.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self._to))
            threading.Thread(target=self._requests, args=(near, far), daemon=True).start()
            threading.Thread(target=self._answers, args=(far, near), daemon=True).start()

    def _requests(self, near: socket.socket, far: socket.socket) -> None:
        while data := _receive(near):
            _send(far, data)
        _hang_up(near, far)

    def _answers(self, far: socket.socket, near: socket.socket) -> None:
        said = b""
        while data := _receive(far):
            if self._lose:
                self._lose -= 1
                self.lost += 1
                break
            before, said = len(said), said + data
            head, _, events = said.partition(b"\r\n\r\n")
            streams = self._breaks and b"text/event-stream" in head
            if streams and len(events) > self._allowed:
                self._breaks -= 1
                self.broken += 1
                _send(near, said[before : len(head) + 4 + self._allowed])
                break
            _send(near, data)
        _hang_up(near, far)


def _receive(side: socket.socket) -> bytes:
    try:
        return side.recv(65536)
    except OSError:
        return b""


def _send(side: socket.socket, data: bytes) -> None:
    # Whoever has hung up wants nothing more; the end of what they say follows.
    with suppress(OSError):
        side.sendall(data)


def _hang_up(*sides: socket.socket) -> None:
    for side in sides:
        try:
            side.shutdown(socket.SHUT_RDWR)
        except OSError:
            continue
        finally:
            side.close()
