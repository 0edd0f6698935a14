"""A receiver of webhooks, over real HTTP."""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Received:
    """One request: `path` it came to, its headers in lower case, its body."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def said(self) -> dict[str, Any]:
        return dict(json.loads(self.body))

    def signed_with(self, secret: str) -> bool:
        key = base64.b64decode(secret.removeprefix("whsec_"))
        stamp, event = self.headers["webhook-timestamp"], self.headers["webhook-id"]
        wanted = hmac.digest(key, f"{event}.{stamp}.".encode() + self.body, hashlib.sha256)
        said = f"v1,{base64.b64encode(wanted).decode()}"
        return said in self.headers["webhook-signature"].split(" ")


@dataclass
class Receiver:
    """`answer` says with what status each request is answered."""

    port: int = 0
    received: list[Received] = field(default_factory=list)
    answer: Callable[[Received], int] = lambda _: 204

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def events(self) -> list[str]:
        return [one.said["type"] for one in self.received]


@contextmanager
def receiver(port: int = 0) -> Iterator[Receiver]:
    """Receive, at a port of its own or at a given one."""
    found = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            one = Received(self.path, headers, body)
            status = found.answer(one)
            found.received.append(one)
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", f"{found.url}/moved")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_GET(self) -> None:
            found.received.append(Received(self.path, {}, b"{}"))

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        found.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield found
        finally:
            server.shutdown()
            thread.join()
