"""Showing a credential to `git`: never in an address, a process list, a log, or a file.

A token goes through a credential helper of one line, which is bound to the one host and reads it
from the environment. A private key goes through a file in memory that `ssh` opens by the number
that this process knows it by.
"""

import contextlib
import os
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from barque.git.port import Credential, SourceError, SshKey, Token

_HELPER = (
    '!f() { test "$1" = get && printf "username=%s\\npassword=%s\\n" '
    '"$BARQUE_GIT_USERNAME" "$BARQUE_GIT_PASSWORD"; }; f'
)
_PRIVATE = 0o600


def address(base_url: str, credential: Credential | None) -> str:
    """Return where to fetch from: with a key, the same place by SSH."""
    if not isinstance(credential, SshKey):
        return base_url
    return f"ssh://{credential.username}@{credential.host}{urlsplit(base_url).path}"


@contextlib.contextmanager
def shown(
    credential: Credential | None, base_url: str, known_hosts: Path, settings: Mapping[str, str]
) -> Iterator[dict[str, str]]:
    """Give the variables with which `git` has a credential, beside those in `settings`."""
    if isinstance(credential, Token):
        yield _with_token(credential, base_url, settings)
    elif isinstance(credential, SshKey):
        with _in_memory(credential.private_key) as path:
            yield {"GIT_SSH_VARIANT": "ssh", "GIT_SSH_COMMAND": _ssh(path, known_hosts)}
    else:
        yield {}


def refusal(output: str, known_hosts: Path) -> SourceError | None:
    """Return what `ssh` complained about, if it is its host's key."""
    if "Host key verification failed" not in output:
        return None
    return SourceError(
        "the host's key is not the one that it showed before: if that is right, remove its line "
        f"from {known_hosts}"
    )


def _with_token(token: Token, base_url: str, settings: Mapping[str, str]) -> dict[str, str]:
    number = int(settings["GIT_CONFIG_COUNT"])
    parts = urlsplit(base_url)
    return {
        "GIT_CONFIG_COUNT": str(number + 1),
        f"GIT_CONFIG_KEY_{number}": f"credential.{parts.scheme}://{parts.netloc}.helper",
        f"GIT_CONFIG_VALUE_{number}": _HELPER,
        "BARQUE_GIT_USERNAME": token.username,
        "BARQUE_GIT_PASSWORD": token.secret,
    }


@contextlib.contextmanager
def _in_memory(text: str) -> Iterator[str]:
    file = os.memfd_create("key")
    try:
        # ssh refuses a key that others might read.
        os.fchmod(file, _PRIVATE)
        os.write(file, text.encode())
        yield f"/proc/{os.getpid()}/fd/{file}"
    finally:
        os.close(file)


def _ssh(key: str, known_hosts: Path) -> str:
    known_hosts.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    options = {
        "IdentityFile": key, "IdentitiesOnly": "yes", "IdentityAgent": "none",
        "UserKnownHostsFile": str(known_hosts), "GlobalKnownHostsFile": os.devnull,
        "StrictHostKeyChecking": "accept-new", "BatchMode": "yes", "ConnectTimeout": "20",
        "LogLevel": "ERROR",
    }  # fmt: skip
    said = [part for name, value in options.items() for part in ("-o", f"{name}={value}")]
    return shlex.join(["ssh", "-F", os.devnull, *said])
