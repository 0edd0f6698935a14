"""Examining an installation: every check, whatever the others find."""

import asyncio

from barque.doctor import data_dir, database, engine, keys, platform, programs, router, trust
from barque.doctor.check import Check, Finding, Site
from barque.settings import Settings

CHECKS: tuple[Check, ...] = (
    *programs.CHECKS,
    *engine.CHECKS,
    *data_dir.CHECKS,
    *database.CHECKS,
    *keys.CHECKS,
    *platform.CHECKS,
    *router.CHECKS,
    *trust.CHECKS,
)


async def examine(settings: Settings) -> list[Finding]:
    """Return what each check finds, in their order."""
    site = Site(settings)
    try:
        found = await asyncio.gather(*(_look(check, site) for check in CHECKS))
    finally:
        await site.aclose()
    return [finding for finding in found if finding is not None]


async def _look(check: Check, site: Site) -> Finding | None:
    try:
        seen = await check.look(site)
    except Exception as error:
        # One thing that is broken in a way that nobody thought of must not hide the others.
        said = str(error).partition("\n")[0] or type(error).__name__
        return Finding(
            check.name, "problem", f"this could not be looked at: {said}",
            "mend what the other checks say, then look again",
        )  # fmt: skip
    return None if seen is None else Finding(check.name, seen.verdict, seen.seen, seen.mend)
