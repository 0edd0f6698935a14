"""An image that somebody removed from the engine by hand."""

import subprocess

from tests.conftest import App, Server
from tests.e2e.helpers import build, deploy, ended, serving, until, web


def remove(app: App, version: int) -> None:
    service = app.api.get(app.path).json()["id"]
    removed = ["docker", "image", "rm", "-f", f"barque/{service}:{version}"]
    subprocess.run(removed, check=True, capture_output=True)


def refused(app: App, deployment: str) -> bool:
    row = ended(app, deployment)
    said = str(row["error_detail"])
    return row["status"] == "failed" and "no longer holds the image" in said and "build" in said


def test_the_old_serves_on_when_the_new_image_is_gone(server: Server, app: App) -> None:
    build(app, web("one"))
    assert ended(app, deploy(app))["status"] == "live"
    build(app, web("two"))
    remove(app, 2)
    assert refused(app, deploy(app))
    assert serving(server, app).text == "one\n"
    # What runs holds its image, though by no name: only new containers cannot be made of it.
    remove(app, 1)
    for verb in ("restart", "rollback"):
        assert refused(app, deploy(app, verb, {"release_version": 1} if verb == "rollback" else {}))
    assert serving(server, app).text == "one\n"
    statuses = {row["version"]: row["status"] for row in app.api.get(f"{app.path}/releases").json()}
    assert statuses == {1: "live", 2: "failed"}
    app.build()
    until(lambda: app.api.get(f"{app.path}/images/3").json()["status"] == "built")
    assert ended(app, deploy(app))["status"] == "live"
    assert serving(server, app).text == "two\n"
