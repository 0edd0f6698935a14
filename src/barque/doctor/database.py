"""The database: whether it answers, and fits this version."""

from barque.doctor.check import Check, Seen, Site, ok, problem, warning
from barque.store.migrations.upgrade import newest
from barque.store.unavailable import StoreUnavailable


async def _answers(site: Site) -> Seen | None:
    if not site.has_database:
        return warning(f"there is no database {site.database.file} yet", "barque serve")
    try:
        found = await site.database.revision()
    except StoreUnavailable as error:
        mend = (
            "free the disk, or end the program that holds it; a file that is damaged comes back "
            "with 'barque restore'"
            if site.database.exclusive
            else "start PostgreSQL, or correct BARQUE_DATABASE_URL"
        )
        return problem(f"the database does not answer: {error}", mend)
    return _judge(found, newest(), running=site.pid is not None)


def _judge(found: str | None, wanted: str, *, running: bool) -> Seen:
    if found == wanted:
        return ok(f"the database answers, at revision {found}")
    if found is None:
        return warning("the database has no tables yet", "barque serve  (it makes them)")
    if found > wanted:
        return problem(
            f"the database is at revision {found}, and this version knows {wanted} at most",
            "start the newer version of Barque again",
        )
    if running:
        return problem(
            f"the database is at revision {found}, and this version needs {wanted}: an older "
            "version of the platform runs",
            "stop the platform, and start it with this version: 'barque serve'",
        )
    return warning(
        f"the database is at revision {found}, and this version needs {wanted}",
        "barque backup FILE, then barque serve, which migrates it",
    )


CHECKS = (Check("database", _answers),)
