"""Replacing the master key.

The file holds both keys while data keys are sealed anew, so that a process which is killed at any
point leaves a platform that opens everything, and rotating once more ends it.
"""

from sqlalchemy import select

from barque.accounts.models import Organization
from barque.running import running
from barque.settings import Settings
from barque.store.database import Database
from barque.vault import Vault, keep_master_key, load_master_key


class RotationRefused(Exception):
    """The master key cannot be replaced now; the message says why, and what to do."""


async def rotate(settings: Settings) -> int:
    """Have every data key sealed by a new master key; return how many there are.

    Raises `RotationRefused`, `StoreUnavailable` and `VaultError`.
    """
    database = Database(settings.store_url)
    try:
        _check(settings, database)
        present = load_master_key(settings.master_key_file, None)
        # One that was cut off is ended first: no more than two keys are ever in use.
        master = present if present.before is not None else present.successor()
        vault = Vault(master)
        async with database.write() as session:
            orgs = list(await session.scalars(select(Organization).with_for_update()))
            for org in orgs:
                org.data_key = vault.renewed(org.data_key)
            # Everything opens, so that the key is the right one; and nothing is committed yet.
            keep_master_key(settings.master_key_file, master)
        keep_master_key(settings.master_key_file, master.alone())
        return len(orgs)
    finally:
        await database.close()


def _check(settings: Settings, database: Database) -> None:
    if settings.secret_key is not None:
        raise RotationRefused(
            "the master key is BARQUE_SECRET_KEY, which is not Barque's to change: only one that "
            "is kept in the data dir can be rotated"
        )
    pid = running(settings)
    if pid is not None:
        raise RotationRefused(
            f"the platform runs, and holds the key: stop it first (kill {pid}); what is live "
            "serves on meanwhile"
        )
    if not settings.master_key_file.exists() or (database.file and not database.file.exists()):
        raise RotationRefused(f"{settings.data_dir} holds no platform: name its --data-dir")
