"""The master key, and whether it opens what is sealed."""

import stat
from pathlib import Path

from sqlalchemy import select

from barque.accounts.models import Organization
from barque.doctor.check import Check, Seen, Site, ok, problem, warning
from barque.store.unavailable import StoreUnavailable
from barque.vault import Vault, load_master_key

_FROM_BACKUP = "put the right key back, from a backup: without it, no secret can be read again"


def vault_of(site: Site) -> Vault | None:
    """Return the vault of an installation that has a master key, and make none."""
    settings = site.settings
    if settings.secret_key is None and not settings.master_key_file.exists():
        return None
    try:
        return Vault(load_master_key(settings.master_key_file, settings.secret_key))
    except (OSError, ValueError):
        return None


async def _key(site: Site) -> Seen | None:
    settings, file = site.settings, site.settings.master_key_file
    if settings.secret_key is None and not file.exists():
        gone = problem(f"the master key {file} is gone", _FROM_BACKUP)
        return gone if site.has_database else None
    try:
        load_master_key(file, settings.secret_key)
    except OSError as error:
        return problem(
            f"the master key {file} cannot be read: {error.strerror}",
            "run this as the user of the platform, who has to own that file",
        )
    except ValueError as error:
        return problem(str(error), _FROM_BACKUP)
    return _private(file) if settings.secret_key is None else ok("it is BARQUE_SECRET_KEY")


def _private(file: Path) -> Seen:
    mode = stat.S_IMODE(file.stat().st_mode)
    if mode & 0o077:
        return problem(
            f"the master key {file} is open to others (mode {mode:o})", f"chmod 600 {file}"
        )
    return ok(f"the master key {file} is private")


async def _sealed(site: Site) -> Seen | None:
    vault = vault_of(site)
    if vault is None or not site.has_database:
        return None
    try:
        async with site.database.read() as session:
            rows = (await session.execute(select(Organization.slug, Organization.data_key))).all()
    except StoreUnavailable:
        return None
    if closed := sorted(slug for slug, key in rows if not vault.opens(key)):
        return problem(
            f"the master key does not open the secrets of {', '.join(closed[:5])}", _FROM_BACKUP
        )
    return ok(f"the master key opens the secrets of {len(rows)} organizations")


async def _rotation(site: Site) -> Seen | None:
    file = site.settings.master_key_file
    if site.settings.secret_key is not None or vault_of(site) is None:
        return None
    if load_master_key(file, None).before is not None:
        return warning(
            "replacing the master key was cut off: the old one is kept beside it",
            "stop the platform, then: barque master-key rotate",
        )
    return None


CHECKS = (Check("master key", _key), Check("secrets", _sealed), Check("rotation", _rotation))
