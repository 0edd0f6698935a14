"""The platform itself: whether it runs and answers, and who else has its ports."""

import socket

import httpx

from barque.doctor.check import Check, Seen, Site, ok, problem, warning
from barque.routing.port import RouterUnavailable

_SOON = 10.0
_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - it says how to reach who listens there


async def _reachable(site: Site) -> Seen:
    if site.pid is None:
        return warning(
            "the platform does not run (what is live serves on without it)", "barque serve"
        )
    host = _ANY.get(site.settings.host, site.settings.host)
    url = f"http://{f'[{host}]' if ':' in host else host}:{site.settings.port}"
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=_SOON) as client:
            answer = await client.get(f"{url}/ready")
            said = answer.json()
    except httpx.HTTPError:
        return problem(
            f"the platform runs as process {site.pid}, and does not answer at {url}",
            "set BARQUE_HOST and BARQUE_PORT as they are for 'barque serve', or start that again",
        )
    except ValueError:
        return problem(
            f"what answers at {url} is not Barque",
            f"find what it is with: ss -ltnp 'sport = :{site.settings.port}'",
        )
    if answer.status_code != 200:
        ill = {name: state for name, state in said.items() if state not in ("ok", "unavailable")}
        return problem(
            "the platform runs, but lacks "
            + "; ".join(f"its {name} ({state})" for name, state in ill.items()),
            "mend what the other checks say of that",
        )
    return ok(f"the platform runs as process {site.pid}, and answers at {url}")


async def _port(site: Site) -> Seen | None:
    if site.pid is not None:
        return None
    return _free(site.settings.host, site.settings.port, "BARQUE_PORT", "the API's")


async def _apps_port(site: Site) -> Seen | None:
    try:
        await site.router.ping()
    except RouterUnavailable:
        where = site.settings.apps_host, site.settings.apps_port
        return _free(*where, "BARQUE_APPS_PORT", "the router's")
    return None


def _free(host: str, port: int, setting: str, whose: str) -> Seen:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except PermissionError:
            return problem(
                f"port {port} ({whose}) is not for this user",
                f"start the platform as root, or set {setting} to a port over 1023",
            )
        except OSError as error:
            return problem(
                f"port {port} ({whose}) cannot be listened on at {host}: {error.strerror}",
                f"end what has it (ss -ltnp 'sport = :{port}' says what), or set {setting}",
            )
    return ok(f"port {port} ({whose}) is free")


CHECKS = (
    Check("platform", _reachable),
    Check("API port", _port),
    Check("router port", _apps_port),
)
