"""A PostgreSQL of the tests' own, which can be stopped and started."""

import os
import shutil
import subprocess
import tempfile
import uuid
from pathlib import Path

PROGRAMS = "/usr/lib/postgresql/*/bin"


def program(name: str) -> str:
    found = shutil.which(name) or next(map(str, Path("/").glob(f"{PROGRAMS[1:]}/{name}")), None)
    assert found, f"{name} is missing: make setup installs PostgreSQL"
    return found


class PostgreSQL:
    def __init__(self, port: int) -> None:
        self.folder, self.port = Path(tempfile.mkdtemp()), port
        self.folder.chmod(0o755)
        # PostgreSQL refuses to run as root.
        self._account = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        if self._account:
            shutil.chown(self.folder, "postgres")
        self._data = self.folder / "data"
        self._do("initdb", "-A", "trust", "-U", "barque", "-D", str(self._data))
        self.start()

    def start(self) -> None:
        options = f"-p {self.port} -k {self.folder} -h 127.0.0.1 -c fsync=off"
        self._do("pg_ctl", "start", "-w", "-D", str(self._data), "-o", options)

    def stop(self, how: str = "fast") -> None:
        """End it, and every connection with it."""
        self._do("pg_ctl", "stop", "-w", "-m", how, "-D", str(self._data))

    def remove(self) -> None:
        self.stop("immediate")
        shutil.rmtree(self.folder, ignore_errors=True)

    def database(self) -> str:
        """Make a database, and return its address."""
        name = f"barque_{uuid.uuid4().hex}"
        self._do("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "barque", name)
        return f"postgresql://barque@127.0.0.1:{self.port}/{name}"

    def _do(self, name: str, *arguments: str) -> None:
        # What pg_ctl starts keeps its output open: nobody may wait for the end of it.
        subprocess.run(
            [*self._account, program(name), *arguments], check=True, cwd="/",
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
