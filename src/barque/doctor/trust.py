"""Certificates and the clock."""

import os
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select

from barque.audit.models import AuditEntry
from barque.doctor.check import Check, Seen, Site, ok, problem, warning
from barque.runtimes.port import RuntimeUnavailable
from barque.store.unavailable import StoreUnavailable

_TOLERATED = timedelta(seconds=30)
_SET = "timedatectl set-ntp true"


async def _bundle(site: Site) -> Seen:
    path = site.settings.ca_bundle
    if path is None:
        return _system()
    return _readable(path, "BARQUE_CA_BUNDLE")


def _system() -> Seen:
    if path := os.environ.get("SSL_CERT_FILE"):
        return _readable(Path(path), "SSL_CERT_FILE")
    if not ssl.create_default_context().get_ca_certs() and not _folder_of_certificates():
        return warning(
            "this machine trusts no certificates: nothing is fetched over HTTPS",
            "apt-get install ca-certificates",
        )
    return ok("certificates are those of the machine")


def _folder_of_certificates() -> bool:
    # What is in a folder is only read when it is needed, and not listed before.
    folder = ssl.get_default_verify_paths().capath
    return folder is not None and any(Path(folder).iterdir())


def _readable(path: Path, setting: str) -> Seen:
    try:
        trusted = ssl.create_default_context(cafile=str(path)).get_ca_certs()
    except FileNotFoundError:
        return problem(f"{setting} names {path}, which is not there", f"correct {setting}")
    except (OSError, ssl.SSLError):
        return problem(
            f"{setting} names {path}, which holds no certificates that can be read",
            f"put certificates in PEM form there, or correct {setting}",
        )
    return ok(f"{path} holds {len(trusted)} certificates")


async def _clock(site: Site) -> Seen:
    """Compare the clock with the engine's, and with what was written down last."""
    present = datetime.now(UTC)
    if (theirs := await _clock_of_engine(site)) and abs(theirs - present) > _TOLERATED:
        return problem(
            f"the engine's clock and this machine's are {abs(theirs - present).seconds} s apart",
            f"{_SET}  (on both)",
        )
    last = await _last_written(site)
    if last and last - present > _TOLERATED:
        return problem(
            f"the clock says {present:%Y-%m-%d %H:%M:%S} UTC, and something happened at "
            f"{last:%Y-%m-%d %H:%M:%S}",
            _SET,
        )
    return ok(f"the clock says {present:%Y-%m-%d %H:%M:%S} UTC")


async def _clock_of_engine(site: Site) -> datetime | None:
    try:
        return (await site.engine.about()).clock
    except RuntimeUnavailable:
        return None


async def _last_written(site: Site) -> datetime | None:
    if not site.has_database:
        return None
    try:
        async with site.database.read() as session:
            return await session.scalar(select(func.max(AuditEntry.created)))
    except StoreUnavailable:
        return None


CHECKS = (Check("certificates", _bundle), Check("clock", _clock))
