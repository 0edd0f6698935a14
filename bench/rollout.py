"""Requests at a fixed rate through the router, while the service is changed all the time.

50 deployments, 5 rollbacks, 20 scalings and 10 restarts happen under 500 requests a second (over
connections that are kept and over new ones, for small pages and slow ones). Run it with
`make bench-rollout`. The bars: no failed request, and a p99 of at most 1.5 times that without.
A rollback, which needs no build, is to take no longer than a deployment.
"""

import os
import statistics
import time
from collections import defaultdict

from bench.harness import one_service
from bench.nginx import build_application
from tests.conftest import App
from tests.e2e.helpers import deploy, ended, host_of
from tests.load import RATE, Figures, load

CALM = 20.0
PAUSE = 0.5


def main() -> None:
    with one_service() as (server, app):
        # Like the visitors, whoever asks for the changes is on another machine.
        os.nice(10)
        build_application(app)
        app.api.post(f"{app.path}/scale", json={"process_counts": {"web": 2}})
        assert ended(app, deploy(app))["status"] == "live"
        assert ended(app, deploy(app))["status"] == "live"
        host = host_of(app)
        with load(server.apps_port, [host]) as before:
            time.sleep(CALM)
        with load(server.apps_port, [host]) as busy:
            took = change_all(app)
        with load(server.apps_port, [host]) as after:
            time.sleep(CALM)
    print(f"{RATE} requests/s, of which a third over new connections")
    for name, figures in (("calm", before), ("changing", busy), ("calm again", after)):
        show(name, figures)
    for verb, times in took.items():
        print(f"{len(times):3} x {verb:8} median {statistics.median(times):.2f} s")
    calm = statistics.mean([before.quantile(0.99), after.quantile(0.99)])
    print(f"ratio of the p99: {busy.quantile(0.99) / calm:.2f}")
    failed = sum(len(figures.failures) for figures in (before, busy, after))
    print(f"failed requests: {failed}")


def show(name: str, figures: Figures) -> None:
    cuts = [f"p{share * 100:g} {figures.quantile(share) * 1000:.2f} ms" for share in (0.5, 0.99)]
    print(f"{name:10} {figures.total:6} requests, {', '.join(cuts)}, "
          f"failed {len(figures.failures)}")  # fmt: skip
    for failure in figures.failures[:10]:
        print(f"    {failure}")


def change_all(app: App) -> dict[str, list[float]]:
    """Change the service 85 times, one change after the other. Returns what each took, by kind."""
    took: dict[str, list[float]] = defaultdict(list)

    def roll_out(verb: str) -> None:
        begun = time.perf_counter()
        assert ended(app, deploy(app, verb))["status"] == "live"
        took[verb].append(time.perf_counter() - begun)
        time.sleep(PAUSE)

    for number in range(50):
        roll_out("deploy")
        if number % 10 == 9:
            roll_out("rollback")
        if number % 5 == 4:
            roll_out("restart")
            scale(app, 3)
            scale(app, 2)
    return took


def scale(app: App, count: int) -> None:
    app.api.post(f"{app.path}/scale", json={"process_counts": {"web": count}})
    while len(app.api.get(f"{app.path}/processes").json()) != count:
        time.sleep(0.1)
    time.sleep(PAUSE)


if __name__ == "__main__":
    main()
