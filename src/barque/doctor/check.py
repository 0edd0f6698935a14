"""What a check is, what it finds, and what it has to look at."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from barque.routing.haproxy import HAProxyRouter
from barque.running import running
from barque.runtimes.docker import DockerRuntime
from barque.settings import Settings
from barque.store.database import Database

Verdict = Literal["ok", "warning", "problem"]


@dataclass(frozen=True, slots=True)
class Seen:
    """What a check saw, and the command or sentence that mends it."""

    verdict: Verdict
    seen: str
    mend: str | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check saw, under its name."""

    name: str
    verdict: Verdict
    seen: str
    mend: str | None


def ok(seen: str) -> Seen:
    """Say that all is well."""
    return Seen("ok", seen)


def warning(seen: str, mend: str) -> Seen:
    """Say what will be a problem, or is one for some."""
    return Seen("warning", seen, mend)


def problem(seen: str, mend: str) -> Seen:
    """Say what keeps the platform from working."""
    return Seen("problem", seen, mend)


class Site:
    """An installation, as its settings describe it. Looking at it changes nothing."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.pid = running(settings)
        self.engine_host = settings.engine
        self.engine = DockerRuntime(self.engine_host)
        self.database = Database(settings.store_url, timeout=5)
        self.router = HAProxyRouter(
            settings.data_dir / "router", settings.apps_host, settings.apps_port
        )

    @property
    def has_database(self) -> bool:
        """Whether there is something to connect to: SQLite would make the file that is missing."""
        return self.database.file is None or self.database.file.exists()

    async def aclose(self) -> None:
        """Close what was opened."""
        await self.engine.aclose()
        await self.database.close()


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that may be wrong.

    `look` returns None where there is nothing to look at, because of what another check says.
    """

    name: str
    look: Callable[[Site], Awaitable[Seen | None]]
