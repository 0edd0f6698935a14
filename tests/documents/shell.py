"""A shell as a reader has it, in which the commands of a page are run one after the other."""

import os
import subprocess
import threading
import uuid
from collections.abc import Mapping
from pathlib import Path

_PATIENCE = 180.0


class Shell:
    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._process = subprocess.Popen(
            ["bash", "--noprofile", "--norc"], cwd=folder, env=dict(environment),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip

    def run(self, command: str) -> tuple[int, str]:
        """Run a command, and return its exit code and what it printed on either output."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        end = f"end-{uuid.uuid4().hex}"
        # What reads its input reads no command of those that follow.
        script = f"{{\n{command}\n}} </dev/null\necho {end} $?\n"
        self._process.stdin.write(script.encode())
        self._process.stdin.flush()
        watch = threading.Timer(_PATIENCE, self.close)
        watch.start()
        try:
            printed = ""
            for raw in self._process.stdout:
                line = raw.decode(errors="replace")
                before, found, code = line.partition(end)
                printed += before
                if found:
                    return int(code), printed
        finally:
            watch.cancel()
        raise AssertionError(f"'{command}' took too long, or ended the shell:\n{printed}")

    def close(self) -> None:
        self._process.kill()
        self._process.wait()


def write_program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def without_barque(environment: Mapping[str, str]) -> dict[str, str]:
    left_out = ("BARQUE_", "VIRTUAL_ENV", "XDG_", "MAKE", "PYTHON")
    return {k: v for k, v in environment.items() if not k.startswith(left_out)}


def environment_of(home: Path) -> dict[str, str]:
    """Return the environment of somebody who has just logged in."""
    home.mkdir()
    (home / ".gitconfig").write_text(
        "[user]\n\tname = Ada\n\temail = ada@example.org\n[init]\n\tdefaultBranch = main\n"
        "[advice]\n\tdetachedHead = false\n"
    )
    return {
        **without_barque(os.environ), "HOME": str(home), "COLUMNS": "160", "LC_ALL": "C.UTF-8",
    }  # fmt: skip
