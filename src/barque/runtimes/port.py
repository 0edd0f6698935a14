"""What the platform asks of whatever runs containers."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

# Bytes of one line of output: enough for what is shown of it, and a secret that goes on after that.
LONGEST = 128 * 1024

# Bytes of what a command in a container wrote that are kept, from the first on.
MOST_OUTPUT = 8 * 1024 * 1024

State = Literal["created", "running", "restarting", "exited"]

# Rows and columns of a terminal.
Size = tuple[int, int]

# A command that is a shell, the best of those there are.
SHELL = "if command -v bash >/dev/null; then exec bash; fi; exec sh"


class RuntimeUnavailable(Exception):
    """The engine does not answer."""


class RuntimeRefused(Exception):
    """The engine answered, and would not do it; the message is the engine's own."""


class ImageMissing(RuntimeRefused):
    """The engine holds no such image."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one container may use: `cpus` in cores, `memory` in bytes, `pids` in processes."""

    cpus: float
    memory: int
    pids: int


@dataclass(frozen=True, slots=True)
class ContainerSpec:
    """One container, as it is to be made.

    `command` is run by `/bin/sh -c` when it is a string, as it stands when a list, and is the
    image's own when None. The container runs with no new privileges, with no capability but the
    engine's harmless few, and with a bounded log. It keeps its address for as long as it exists,
    also when it is started again. With `stdin`, its input is for whoever attaches to it, once.
    """

    name: str
    image: str
    network: str
    command: str | Sequence[str] | None
    environment: Mapping[str, str]
    labels: Mapping[str, str]
    limits: Limits
    stop_timeout: int = 30
    stdin: Literal["none", "pipe", "terminal"] = "none"


@dataclass(frozen=True, slots=True)
class ContainerState:
    """One container, as the engine sees it. `exit_code` and `finished` are of its last end."""

    name: str
    state: State
    image: str
    labels: Mapping[str, str]
    address: str | None = None
    exit_code: int | None = None
    out_of_memory: bool = False
    restarts: int = 0
    started: datetime | None = None
    finished: datetime | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class OutputLine:
    """One line that a container wrote, without its line end.

    `at` is the engine's own stamp (RFC 3339, nanoseconds, UTC), `text` at most what `LONGEST` says.
    """

    at: str
    stream: Literal["stdout", "stderr"]
    text: str


@dataclass(frozen=True, slots=True)
class Usage:
    """What a container has used: `cpu` in seconds since its start, `memory` in bytes just now."""

    cpu: float
    memory: int


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a container: it was started (`start`) or ended (`die`)."""

    action: str
    name: str
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """An image that the engine holds; `ports` are those of TCP that it says it listens on."""

    digest: str
    size_bytes: int
    labels: Mapping[str, str] = field(default_factory=dict)
    ports: Sequence[int] = ()


class Session(Protocol):
    """A program in a container whose input and output are open.

    Its methods raise `RuntimeUnavailable`; one may read and write at the same time.
    """

    async def read(self) -> tuple[int, bytes] | None:
        """Read what it writes next, and to which output (1, or 2 for errors); None is the end.

        Nothing is lost where this is cancelled.
        """

    async def write(self, data: bytes) -> None:
        """Write to its input, waiting until it takes that."""

    async def end_input(self) -> None:
        """Say that no more input comes; a terminal has no such end."""

    async def resize(self, size: Size) -> None:
        """Set the size of its terminal, if it has one."""

    async def exit_code(self) -> int | None:
        """Return its exit code once it has ended; None is for one whose container is gone."""


class Runtime(Protocol):
    """An engine that runs containers. Every call may be made twice.

    Every method raises `RuntimeUnavailable` when the engine cannot be reached, and
    `RuntimeRefused` when it answers with an error that no other exception here names.
    """

    async def ping(self) -> None:
        """Return if the engine answers."""

    async def ensure_network(self, name: str, labels: Mapping[str, str]) -> None:
        """Make the network unless it is there."""

    async def remove_network(self, name: str) -> None:
        """Remove the network; one that is not there is no error."""

    async def networks(self, labels: Mapping[str, str]) -> list[str]:
        """List the names of the networks that carry all of `labels`."""

    async def create(self, spec: ContainerSpec) -> None:
        """Make the container unless one of its name is there. Raises `ImageMissing`."""

    async def start(self, name: str) -> None:
        """Start the container unless it runs."""

    async def keep_running(self, name: str, keep: bool) -> None:
        """Have the engine itself restart the container when it ends, with back-off, or not.

        From the first call on, the container has its full share of the processors: until then it
        gives way to those that had it before.
        """

    async def stop(self, name: str, timeout: int) -> None:
        """Send SIGTERM, and SIGKILL after `timeout` seconds; one that is not there is no error."""

    async def remove(self, name: str) -> None:
        """Kill and remove the container; one that is not there is no error."""

    async def inspect(self, name: str) -> ContainerState | None:
        """Describe the container, or None when it is not there."""

    async def containers(self, labels: Mapping[str, str]) -> dict[str, Mapping[str, str]]:
        """Map the names of the containers that carry all of `labels` to their own labels.

        Those that do not run are among them.
        """

    async def usage(self, name: str) -> Usage | None:
        """Tell what the container has used, or None when it does not run."""

    def events(self, labels: Mapping[str, str]) -> AsyncIterator[Event]:
        """Tell what happens to containers that carry all of `labels`, from now on."""

    def follow(self, name: str, since: str) -> AsyncIterator[list[OutputLine]]:
        """Read what the container wrote from the stamp `since` on (or all), until it ends.

        The lines come in the order in which they ended, which need not be that of their stamps.
        """

    async def output(self, name: str, tail: int | None = None) -> list[OutputLine]:
        """Read the last `tail` lines that the container wrote, of both its streams."""

    async def execute(self, name: str, command: str, timeout: int) -> tuple[int | None, str]:
        """Run a command by `/bin/sh` in the container, which must run, as its processes are run.

        Returns its exit code, and what it wrote, at most what `MOST_OUTPUT` says. After `timeout`
        seconds it is killed, with what it started, and there is no exit code.
        """

    def open_exec(
        self, name: str, command: str, size: Size | None
    ) -> AbstractAsyncContextManager[Session]:
        """Run a command by `/bin/sh` in the container, which must run, with its input open.

        With a size, it has a terminal, and one output. Where this is left before it has ended, it
        is ended soon after, with all that it started.
        """

    def open_container(self, name: str, size: Size | None) -> AbstractAsyncContextManager[Session]:
        """Start the container, which was made with `stdin`, with its input open."""

    async def image(self, reference: str) -> ImageInfo | None:
        """Describe an image, or None when the engine does not hold it."""

    async def pull(self, name: str, version: str, say: Callable[[str], None]) -> None:
        """Fetch an image from its registry, by a tag or a digest, saying how that goes.

        A cancelled call ends it. Raises `RuntimeRefused` with the registry's words.
        """

    async def tag(self, reference: str, name: str) -> None:
        """Give an image, known by a name or an id, another name (`path:tag`)."""

    async def named(self, prefix: str) -> list[str]:
        """List the references that begin with `prefix`, which ends with a slash."""

    async def images(self, labels: Mapping[str, str]) -> list[str]:
        """List the references of the images that carry all of `labels`."""

    async def remove_image(self, reference: str) -> None:
        """Remove an image; one that is not there, or is in use, is no error."""

    async def remove_unnamed_images(self, labels: Mapping[str, str], age: int) -> None:
        """Remove the images that carry all of `labels`, and that nothing names or uses any more.

        Those made in the last `age` seconds stay: a build may be about to name them.
        """

    async def prune_build_cache(self, keep: int) -> int:
        """Remove what was used longest ago until `keep` bytes are left. Returns the bytes freed.

        What a build uses just now stays, and so does what images hold anyway.
        """

    async def aclose(self) -> None:
        """Close what was opened to reach the engine; the containers go on."""
