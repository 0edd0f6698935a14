"""A build through Barque, beside the same `git clone` and `docker build` by hand.

Run it with `make bench-build`. The bar is 1.1.
"""

import os
import subprocess
import tempfile
import time
import uuid

from bench.harness import alternate, one_service, timed_build
from tests.conftest import App

DOCKERFILE = """\
FROM barque/base:busybox
COPY unique /unique
RUN dd if=/dev/urandom bs=1M count=60 | gzip -c > /data.gz
RUN i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; echo done
"""
ROUNDS = 10


def main() -> None:
    with one_service() as (_, app):
        alternate(lambda: through_barque(app), lambda: by_hand(app), ROUNDS)


def through_barque(app: App) -> float:
    app.commit({"Dockerfile": DOCKERFILE, "unique": uuid.uuid4().hex})
    return timed_build(app)


def by_hand(app: App) -> float:
    app.commit({"Dockerfile": DOCKERFILE, "unique": uuid.uuid4().hex})
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        clone = ["git", "clone", "-q", "--depth", "1", f"file://{app.repository}", folder]
        subprocess.run(clone, check=True)
        subprocess.run(
            ["/usr/bin/docker", "build", "-q", "-t", "barque/bench:by-hand", folder], check=True,
            env={**os.environ, "DOCKER_BUILDKIT": "1"}, capture_output=True,
        )  # fmt: skip
        return time.perf_counter() - begun


if __name__ == "__main__":
    main()
