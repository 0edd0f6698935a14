"""The router: whether it serves, and sends each host to what the database says is live."""

from sqlalchemy import select

from barque.deployments.journal import SWITCHED
from barque.deployments.models import Deployment
from barque.doctor.check import Check, Seen, Site, ok, problem, warning
from barque.processes.instances import upstream_of
from barque.routing.port import RouterUnavailable
from barque.services.place import host_of, place_of
from barque.store.unavailable import StoreUnavailable

_RESTART = "start the platform again: it makes the router agree, without a dropped request"


async def _alive(site: Site) -> Seen:
    try:
        await site.router.ping()
    except RouterUnavailable:
        log = site.settings.data_dir / "router" / "haproxy.log"
        if site.pid is not None:
            return problem(
                "the router does not run, so that no service is reached",
                f"the platform starts it again within seconds; {log} says why it ended",
            )
        return warning("the router does not run: no service is reached", "barque serve")
    return ok("the router answers")


async def _agrees(site: Site) -> Seen | None:
    """Compare what the router knows with what is live.

    During a rollout a host may be with the old or the new: both are in the database then.
    """
    if not site.has_database:
        return None
    try:
        known = await site.router.present()
        wanted = await _wanted(site)
    except (RouterUnavailable, StoreUnavailable):
        return None
    # One without a web process is known, with nothing behind it.
    lost = sorted(
        host
        for host, upstreams in wanted.items()
        if host not in known or (known[host] and not upstreams & known[host])
    )
    if lost:
        return problem(
            f"the router does not send {', '.join(lost[:5])} to what is live there", _RESTART
        )
    if extra := sorted(set(known) - set(wanted)):
        return problem(f"the router has hosts of no live service: {', '.join(extra[:5])}", _RESTART)
    return ok(f"the router sends {len(wanted)} hosts to what is live")


async def _wanted(site: Site) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    async with site.database.read() as session:
        rows = await session.execute(
            select(Deployment.id, Deployment.service_id).where(Deployment.status.in_(SWITCHED))
        )
        for deployment_id, service_id in rows.all():
            host = host_of(site.settings, await place_of(session, service_id))
            found.setdefault(host, set()).add(upstream_of(deployment_id))
    return found


CHECKS = (Check("router", _alive), Check("routes", _agrees))
