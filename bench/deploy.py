"""From `POST deploy` to the first 200 of the new release, beside a bare `docker run`.

Run it with `make bench-deploy`. The bar is 1.5.
"""

import subprocess
import time

import httpx

from bench.harness import alternate, one_service
from tests.conftest import WEB, App, Server, free_port
from tests.e2e.helpers import build, ended, host_of

COMMAND = "echo ${BARQUE_RELEASE:-0} > /www/index.html; exec httpd -f -p $PORT -h /www"
ROUNDS = 20
_POLL = 0.003


def main() -> None:
    with one_service() as (server, app):
        build(app, {**WEB, "Procfile": f"web: {COMMAND}\n"})
        image = f"barque/{app.api.get(app.path).json()['id']}:1"
        host = host_of(app)
        alternate(lambda: through_barque(server, app, host), lambda: by_hand(image), ROUNDS)


def through_barque(server: Server, app: App, host: str) -> float:
    begun = time.perf_counter()
    answer = app.api.post(f"{app.path}/deploy").json()
    wait(server.apps_port, host, f"{answer['release_version']}\n")
    took = time.perf_counter() - begun
    assert ended(app, answer["deployment_id"])["status"] == "live"
    return took


def by_hand(image: str) -> float:
    port = free_port()
    begun = time.perf_counter()
    run = ["docker", "run", "-d", "-e", "PORT=8000", "-p", f"127.0.0.1:{port}:8000", image]
    made = subprocess.run([*run, "sh", "-c", COMMAND], check=True, capture_output=True, text=True)
    wait(port, "localhost", "0\n")
    took = time.perf_counter() - begun
    subprocess.run(["docker", "rm", "-f", made.stdout.strip()], check=True, capture_output=True)
    return took


def wait(port: int, host: str, text: str) -> None:
    with httpx.Client(headers={"Host": host}) as client:
        while True:
            try:
                answer = client.get(f"http://127.0.0.1:{port}/")
            except httpx.TransportError:
                time.sleep(_POLL)
                continue
            if answer.status_code == 200 and answer.text == text:
                return
            time.sleep(_POLL)


if __name__ == "__main__":
    main()
