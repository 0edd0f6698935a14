"""A stand-in for GitHub: its documented REST API for Apps and statuses, and git over HTTP.

It checks every signature and token as GitHub does, and can be told to fail.
"""

import base64
import json
import os
import subprocess
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

APP = "4711"


@dataclass
class Failure:
    """What every call to the API is answered, until it is taken away."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class GitHub:
    """The stand-in, with repositories below `root`; `statuses` are what it was told."""

    root: Path
    key: Any = field(default_factory=lambda: generate_private_key(65537, 2048))
    tokens: dict[str, tuple[datetime, list[str], dict[str, str]]] = field(default_factory=dict)
    made: list[str] = field(default_factory=list)
    statuses: list[dict[str, Any]] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    own_token: str = "ghp_" + "t" * 36
    failure: Failure | None = None
    installed: bool = True
    lifetime: timedelta = timedelta(hours=1)
    url: str = ""

    @property
    def private_key(self) -> bytes:
        return bytes(
            self.key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
        )

    def is_app(self, said: str) -> bool:
        """Check a JWT as GitHub documents it: RS256, the App as issuer, ten minutes at most."""
        try:
            head, body, signature = said.split(".")
            self.key.public_key().verify(_raw(signature), f"{head}.{body}".encode(),
                                         PKCS1v15(), SHA256())  # fmt: skip
        except (ValueError, InvalidSignature):
            return False
        claims, moment = json.loads(_raw(body)), time.time()
        return (
            json.loads(_raw(head))["alg"] == "RS256" and claims["iss"] == APP
            and claims["iat"] <= moment < claims["exp"] <= moment + 600
        )  # fmt: skip

    def may(self, token: str, repository: str, permission: str) -> bool:
        """Tell whether a token opens a repository for something."""
        if token == self.own_token:
            return permission == "contents"
        expires, repositories, permissions = self.tokens.get(token, (datetime.min, [], {}))
        return (
            repository.partition("/")[2] in repositories
            and permission in permissions
            and expires.replace(tzinfo=UTC) > datetime.now(UTC)
        )

    def new_token(self, body: dict[str, Any]) -> dict[str, Any]:
        token = f"ghs_{uuid.uuid4().hex}"
        expires = datetime.now(UTC) + self.lifetime
        self.tokens[token] = (expires, body["repositories"], body["permissions"])
        self.made.append(token)
        return {
            "token": token, "expires_at": expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "permissions": body["permissions"], "repository_selection": "selected",
        }  # fmt: skip


def _raw(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@contextmanager
def serving_github(root: Path) -> Iterator[GitHub]:
    github = GitHub(root)

    class Handler(_Handler):
        there = github

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    github.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield github
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    there: GitHub
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, *_: object) -> None:
        pass

    def _answer(self) -> None:
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            self.body = self._chunks()
        else:
            self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path.startswith("/api/"):
            self._api(self.path.removeprefix("/api"))
        else:
            self._git()

    def _chunks(self) -> bytes:
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _api(self, path: str) -> None:
        github = self.there
        github.calls.append(f"{self.command} {path}")
        if github.failure is not None:
            self._say(github.failure.status, {"message": "no"}, github.failure.headers)
            return
        bearer = self.headers.get("Authorization", "").removeprefix("Bearer ")
        parts = path.strip("/").split("/")
        match (self.command, parts):
            case ("GET", ["repos", _, _, "installation"]):
                self._as_app(bearer, 200 if github.installed else 404, {"id": 99})
            case ("POST", ["app", "installations", "99", "access_tokens"]):
                token = github.new_token(json.loads(self.body)) if github.is_app(bearer) else {}
                self._as_app(bearer, 201, token)
            case ("POST", ["repos", owner, name, "statuses", sha]):
                self._status(bearer, f"{owner}/{name}", sha)
            case _:
                self._say(404, {"message": "Not Found"})

    def _as_app(self, bearer: str, status: int, value: dict[str, Any]) -> None:
        if self.there.is_app(bearer):
            self._say(status, value)
        else:
            self._say(401, {"message": "A JSON web token could not be decoded"})

    def _status(self, bearer: str, repository: str, sha: str) -> None:
        body = json.loads(self.body)
        if bearer not in self.there.tokens:
            self._say(401, {"message": "Bad credentials"})
        elif not self.there.may(bearer, repository, "statuses"):
            self._say(403, {"message": "Resource not accessible by integration"})
        elif body["state"] not in ("error", "failure", "pending", "success"):
            self._say(422, {"message": "Validation Failed"})
        elif len(body.get("description", "")) > 140:
            self._say(422, {"message": "description is too long (maximum is 140 characters)"})
        else:
            self.there.statuses.append({**body, "sha": sha, "repository": repository})
            self._say(201, {"id": 1, **body})

    def _git(self) -> None:
        path, _, query = self.path.partition("?")
        kind, _, said = self.headers.get("Authorization", "").partition(" ")
        _, _, password = base64.b64decode(said or "").decode().partition(":")
        repository = "/".join(path.split("/")[1:3])
        if kind != "Basic" or not self.there.may(password, repository, "contents"):
            self._say(401, {}, {"WWW-Authenticate": 'Basic realm="GitHub"'})
            return
        environment = {
            "PATH": os.environ["PATH"], "GIT_PROJECT_ROOT": str(self.there.root),
            "GIT_HTTP_EXPORT_ALL": "1", "PATH_INFO": path, "QUERY_STRING": query,
            "REQUEST_METHOD": self.command, "REMOTE_ADDR": "127.0.0.1",
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(self.body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory",
            "GIT_CONFIG_VALUE_0": "*",
        }  # fmt: skip
        done = subprocess.run(
            ["git", "http-backend"], input=self.body, capture_output=True, env=environment,
            check=True,
        )  # fmt: skip
        head, _, body = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        status = int(headers.pop("Status", "200 OK").split()[0])
        self._send(status, body, headers)

    def _say(
        self, status: int, value: dict[str, Any], headers: dict[str, str] | None = None
    ) -> None:
        said = {"Content-Type": "application/json", **(headers or {})}
        self._send(status, json.dumps(value).encode(), said)

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() != "content-length":
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
