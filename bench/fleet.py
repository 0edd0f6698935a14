"""50 services deployed at once: all live, none lost, and what memory the platform takes for it.

Run it with `make bench-fleet`. The bar is 300 MiB for all of the platform's own processes (the
router's among them), without the containers.
"""

import subprocess
import time
from pathlib import Path

from bench.harness import platform
from tests.conftest import WEB, Server, make_app, make_env
from tests.e2e.helpers import build, deploy, ended, serving

SERVICES = 50


def main() -> None:
    with platform() as (server, client):
        env = make_env(client)
        apps = [make_app(server, client, env, f"s{number}") for number in range(SERVICES)]
        for app in apps:
            build(app, WEB)
        before = memory(server)
        begun = time.perf_counter()
        deployments = [deploy(app) for app in apps]
        rows = [ended(app, one) for app, one in zip(apps, deployments, strict=True)]
        took = time.perf_counter() - begun
        serve = [serving(server, app).status_code == 200 for app in apps]
        after = memory(server)
    live = sum(row["status"] == "live" for row in rows)
    print(f"{live} of {SERVICES} deployments live, {sum(serve)} serve, after {took:.1f} s")
    for name in after:
        print(f"  {name:9} {before[name]:6.1f} MiB before, {after[name]:6.1f} MiB after")
    print(f"  together  {sum(after.values()):6.1f} MiB")


def memory(server: Server) -> dict[str, float]:
    """Return what the platform and the router hold in memory, in MiB."""
    assert server.process is not None
    pattern = f"{server.data_dir}/router/haproxy.cfg"
    found = subprocess.run(["pgrep", "-f", pattern], capture_output=True, text=True, check=True)
    return {
        "platform": resident(server.process.pid),
        "router": sum(resident(int(pid)) for pid in found.stdout.split()),
    }


def resident(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


if __name__ == "__main__":
    main()
