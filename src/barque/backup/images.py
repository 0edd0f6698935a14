"""The images that what is live runs on, and that a rollback goes back to."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import Connection, func, select

from barque.backup.manifest import BackupError
from barque.deployments.models import Deployment
from barque.images.pruning import Rolled, needed
from barque.releases.models import Release
from barque.runtimes.docker import DockerRuntime
from barque.runtimes.port import RuntimeRefused, RuntimeUnavailable
from barque.settings import Settings


def wanted_images(connection: Connection) -> list[str]:
    """Return what the database says is needed, of the images that the engine holds."""
    rows = connection.execute(
        select(
            Deployment.service_id, func.max(Deployment.id), Deployment.release_id,
            Deployment.status,
        ).group_by(Deployment.service_id, Deployment.release_id, Deployment.status)
    )  # fmt: skip
    by_service = defaultdict[str, list[Rolled]](list)
    for service_id, *rolled in rows.all():
        by_service[service_id].append(Rolled(*rolled))
    releases = {one for rolled in by_service.values() for one in needed(rolled)}
    found = connection.execute(select(Release.id, Release.image_reference))
    return sorted({reference for release, reference in found if release in releases})


async def save_images(settings: Settings, wanted: Sequence[str], path: Path) -> None:
    """Write images to a file, as the engine does it. Raises `BackupError`."""
    engine = DockerRuntime(settings.engine)
    try:
        present = [one for one in wanted if await engine.image(one) is not None]
        if present:
            await engine.save(present, path)
    except (RuntimeRefused, RuntimeUnavailable) as error:
        raise BackupError(f"the images cannot be saved: {error}") from error
    finally:
        await engine.aclose()


async def load_images(settings: Settings, path: Path) -> None:
    """Have the engine hold the images of a file. Raises `BackupError`."""
    engine = DockerRuntime(settings.engine)
    try:
        await engine.load(path)
    except (RuntimeRefused, RuntimeUnavailable) as error:
        raise BackupError(f"the images cannot be loaded: {error}") from error
    finally:
        await engine.aclose()
