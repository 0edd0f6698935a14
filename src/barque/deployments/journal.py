"""What happens to a deployment, written down: its status, its steps, its log."""

from typing import TYPE_CHECKING

from barque.deployments.events import tell
from barque.deployments.models import Deployment
from barque.releases.models import Release
from barque.store.tables import now

if TYPE_CHECKING:
    from barque.platform import Platform

ENDED = ("live", "failed", "cancelled", "superseded", "retired")
SWITCHED = ("draining", "live")


def stream_of(deployment_id: str) -> str:
    """Return the name of a deployment's log."""
    return f"deployment:{deployment_id}"


def enter(row: Deployment, status: str, message: str) -> None:
    """Enter a status: end the step before, and begin the next."""
    moment = now()
    steps = [dict(step) for step in row.steps]
    if steps and steps[-1]["finished"] is None:
        steps[-1]["finished"] = moment.isoformat()
    ended = moment.isoformat() if status in ENDED else None
    begun = {"name": status, "started": moment.isoformat(), "finished": ended}
    row.steps = [*steps, {**begun, "message": message}]
    row.status, row.started = status, row.started or moment
    if status in ENDED:
        row.finished = moment
    if status in ("failed", "cancelled"):
        row.error_detail = message


class Journal:
    """Writes what happens to deployments."""

    def __init__(self, platform: "Platform") -> None:
        self._platform = platform

    async def enter(self, deployment_id: str, status: str, message: str) -> bool:
        """Enter a status, unless the deployment has ended. Returns whether it did."""
        async with self._platform.database.write() as session:
            row = await session.get_one(Deployment, deployment_id)
            if row.status in ENDED:
                return False
            begun = row.started is not None
            enter(row, status, message)
            if not (begun and status == "releasing"):
                # Done again after a crash, it has been told of.
                await tell(session, row)
            release = await session.get_one(Release, row.release_id)
            if status == "live" or (status == "failed" and release.status != "live"):
                release.status = status
            # First the line: whoever sees the status finds it.
            self.say(deployment_id, f"{status}: {message}")
        # Whoever read the last line before the end was written looks again now.
        self._platform.logs.wake(stream_of(deployment_id))
        return True

    def say(self, deployment_id: str, text: str) -> None:
        """Write to the deployment's log."""
        self._platform.logs.append(stream_of(deployment_id), text)
