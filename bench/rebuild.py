"""The second build of each sample, after a change to one line of its source, beside the first.

Run it with `make bench-rebuild`, or `python -m bench.rebuild flask go` for some of them. Each is
built for three services of its own, and the bar of 0.35 is that of the median of their ratios. An
image of the Python sample is also held against its base and its dependencies: the bar is 1.3 times
their sizes.
"""

import statistics
import subprocess
import sys
import uuid

from bench.harness import platform, timed_build
from tests.conftest import App, make_env
from tests.e2e.helpers import EXAMPLES, example

ROUNDS = 3
BAR, SIZE_BAR = 0.35, 1.3
CHANGED = {
    "flask": "app.py", "django": "shop/urls.py", "fastapi-uv": "app/main.py",
    "express": "server.js", "static": "index.html", "go": "main.go",
    "monorepo-api": "api/api.py", "monorepo-web": "web/server.js", "dockerfile-secrets": "app.py",
}  # fmt: skip


def main() -> None:
    print(f"{'sample':20} {'first':>8} {'second':>8} {'ratio':>6}    of all")
    with platform() as (server, client):
        for name in sys.argv[1:] or EXAMPLES:
            apps = [example(server, client, make_env(client), name) for _ in range(ROUNDS)]
            times = [measured(app, name) for app in apps]
            ratios = [second / first for first, second in times]
            first, second = (statistics.median(column) for column in zip(*times, strict=True))
            ratio = statistics.median(ratios)
            print(f"{name:20} {first:6.2f} s {second:6.2f} s {ratio:6.2f}    "
                  f"{' '.join(f'{one:.2f}' for one in ratios)}"
                  f"{'' if ratio <= BAR else f'  over the bar of {BAR}'}")  # fmt: skip
            if name == "flask":
                sizes(apps[0])


def measured(app: App, name: str) -> tuple[float, float]:
    """Build, change a line, and build again; return the seconds of each."""
    requirements = app.repository / "requirements.txt"
    if name == "dockerfile-secrets":
        # Its caches have names of its own making: an earlier run would have filled the layers.
        app.commit({"requirements.txt": f"{requirements.read_text()}# {uuid.uuid4()}\n"})
    first = timed_build(app)
    text = (app.repository / CHANGED[name]).read_text()
    assert "hello from" in text
    app.commit({CHANGED[name]: text.replace("hello from", f"hello {uuid.uuid4().hex} from", 1)})
    return first, timed_build(app)


def sizes(app: App) -> None:
    """Print the size of an image beside that of its base and dependencies."""
    image = app.image(1)
    plan: dict[str, str] = image["plan"]  # type: ignore[assignment]
    base = int(docker("inspect", "--format", "{{.Size}}", plan["base"]))
    installed = docker("run", "--rm", str(image["image_digest"]), "du", "-sb", "/opt/venv")
    least = base + int(installed.split()[0])
    size = int(str(image["size_bytes"]))
    verdict = "" if size <= SIZE_BAR * least else f"  over the bar of {SIZE_BAR}"
    print(f"{'':20} {size / 1e6:.0f} MB, of which base and dependencies {least / 1e6:.0f} MB: "
          f"{size / least:.2f}{verdict}")  # fmt: skip


def docker(*arguments: str) -> str:
    done = subprocess.run(["docker", *arguments], check=True, capture_output=True, text=True)
    return done.stdout


if __name__ == "__main__":
    main()
