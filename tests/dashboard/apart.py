"""A network namespace for a browser, in which no interface ever comes or goes.

Soon after one does, Chromium breaks off each request that waits for a connection
(net::ERR_NETWORK_CHANGED), and each container that starts or ends brings or takes some. With the
loopback interface alone, `navigator.onLine` is false.
"""

import ctypes
import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread

_libc = ctypes.CDLL(None, use_errno=True)
_CLONE_NEWNET = 0x40000000
# Namespaces are a thread's: what /proc/self shows are those of a process's first one.
_CURRENT = Path("/proc/thread-self/ns/net")


@contextmanager
def network_apart() -> Iterator[bool]:
    """Have what sockets and processes this thread makes meanwhile be in a namespace of their own.

    They stay in it, while the thread goes back. Where the kernel does not allow it (it takes
    CAP_SYS_ADMIN), it is False, and they are in the machine's own namespace.
    """
    home = os.open(_CURRENT, os.O_RDONLY)
    apart = _unshare()
    try:
        if apart:
            subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        yield apart
    finally:
        if apart:
            _check(_libc.setns(home, _CLONE_NEWNET))
        # All tests that follow in this process count on it.
        assert os.path.samestat(_CURRENT.stat(), os.fstat(home))
        os.close(home)


def _unshare() -> bool:
    try:
        _check(_libc.unshare(_CLONE_NEWNET))
    except PermissionError:
        return False
    return True


def _check(result: int) -> None:
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


@contextmanager
def relay(listening: socket.socket) -> Iterator[None]:
    """Bring what connects to a socket of another namespace to the same address in this one.

    A socket stays in the namespace that it was made in, and a thread begins in that of the thread
    that starts it: whoever calls this has to be in the machine's own. Connections that are open at
    the end stay so until the browser closes them.
    """
    Thread(target=_accept, args=(listening,), daemon=True).start()
    try:
        yield
    finally:
        # Closing it alone would not wake a thread that waits for a connection.
        listening.shutdown(socket.SHUT_RDWR)


def _accept(listening: socket.socket) -> None:
    address = listening.getsockname()
    with suppress(OSError):
        while True:
            accepted, _ = listening.accept()
            Thread(target=_bring, args=(accepted, address), daemon=True).start()


def _bring(accepted: socket.socket, address: tuple[str, int]) -> None:
    with accepted, suppress(ConnectionError), socket.create_connection(address) as beyond:
        for one in (accepted, beyond):
            # Events are small, and each has to arrive at once.
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        answers = Thread(target=_pass_on, args=(beyond, accepted), daemon=True)
        answers.start()
        _pass_on(accepted, beyond)
        answers.join()


def _pass_on(source: socket.socket, sink: socket.socket) -> None:
    """Pass on what arrives, and the end of it; where either side broke, end both ways."""
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        for one in (source, sink):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
