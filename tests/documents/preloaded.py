"""The program `barque`, without importing its libraries at each of many calls.

`python -m tests.documents.preloaded SOCKET` waits there; the script that `client` returns hands its
arguments, environment, folder and files to it, and ends as the program does.
"""

import json
import os
import runpy
import socket
import sys

import barque.cli.main
import barque.settings  # noqa: F401 - both are to be there in each fork

_CLIENT = """#!{python} -IS
import json, os, socket, sys
there = socket.socket(socket.AF_UNIX)
there.connect({path!r})
what = json.dumps([sys.argv[1:], dict(os.environ), os.getcwd()]).encode()
socket.send_fds(there, [len(what).to_bytes(4, "big")], [0, 1, 2])
there.sendall(what)
sys.exit(there.recv(1)[0])
"""


def client(path: str) -> str:
    return _CLIENT.format(python=sys.executable, path=path)


def serve(path: str) -> None:
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(path)
    listening.listen()
    while True:
        caller, _ = listening.accept()
        if os.fork() == 0:
            listening.close()
            if os.fork() == 0:
                _answer(caller)
            os._exit(0)
        caller.close()
        os.wait()


def _answer(caller: socket.socket) -> None:
    size, files, _, _ = socket.recv_fds(caller, 4, 3)
    what = b""
    while len(what) < int.from_bytes(size, "big"):
        what += caller.recv(65536)
    arguments, environment, folder = json.loads(what)
    for number, file in enumerate(files):
        os.dup2(file, number)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["barque", *arguments]
    code = _run()
    sys.stdout.flush()
    sys.stderr.flush()
    caller.send(bytes([code]))
    os._exit(0)


def _run() -> int:
    try:
        runpy.run_module("barque", run_name="__main__", alter_sys=True)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(bool(end.code))
    return 0


if __name__ == "__main__":
    serve(sys.argv[1])
