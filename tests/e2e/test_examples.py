"""Each sample repository builds and serves, upon base images made without a registry."""

import json
import subprocess

import httpx
import pytest

from tests.conftest import App, Server
from tests.e2e.helpers import EXAMPLES, deploy, ended, example, serving

LISTING = (
    "for program in cc gcc g++ make go npm pip pip3 uv; do command -v $program; done; "
    "ls -A /root /root/.cache /root/.npm /run/secrets 2>/dev/null; id -u; "
    "touch /srv/app/written && echo may write"
)


@pytest.mark.parametrize("name", EXAMPLES)
def test_example(server: Server, api: httpx.Client, env: str, name: str) -> None:
    app = example(server, api, env, name)
    image = app.image(app.build())
    assert image["status"] == "built", app.log(1)
    assert (image["plan"] is None) == (name == "dockerfile-secrets")
    assert "FROM barque/base:" in str(image["dockerfile"])
    row = ended(app, deploy(app))
    assert row["status"] == "live", row
    page = serving(server, app)
    assert (page.status_code, EXAMPLES[name].says in page.text) == (200, True), page.text
    assert serving(server, app, "/_health/").status_code == 200
    may_write = name not in ("static", "dockerfile-secrets")
    holds_no_tools(str(image["image_digest"]), may_write=may_write)


def holds_no_tools(image: str, *, may_write: bool) -> None:
    """Look into an image: no compiler, no package manager, no cache, and not as root."""
    run = ["docker", "run", "--rm", "--network=none", image, "/bin/sh", "-c", LISTING]
    done = subprocess.run(run, capture_output=True, text=True, check=False)
    found = [line for line in done.stdout.split("\n") if line and not line.endswith(":")]
    uid, *rest = [line for line in found if line not in (".bashrc", ".profile")]
    assert uid == "1000", found
    assert rest == (["may write"] if may_write else [])
    said = subprocess.run(["docker", "inspect", image], capture_output=True, text=True, check=True)
    assert json.loads(said.stdout)[0]["Config"]["User"] == "1000:1000"


def test_files_are_served_as_they_are(server: Server, app: App) -> None:
    files = {"index.html": "<p>hello", "more.html": "more", "mod.mjs": "1", ".env": "KEY=1"}
    app.commit({**files, "below/index.html": "below", ".well-known/x.txt": "known"})
    image = app.image(app.build())
    assert image["status"] == "built", app.log(1)
    assert ended(app, deploy(app))["status"] == "live"
    page = serving(server, app)
    assert (page.text, page.headers["content-type"]) == ("<p>hello", "text/html; charset=utf-8")
    for path, text in {
        "/more": "more", "/below/": "below", "/below": "below", "/.well-known/x.txt": "known",
        "/_health/": "ok\n",
    }.items():  # fmt: skip
        found = serving(server, app, path)
        assert (found.status_code, found.text) == (200, text), path
    assert serving(server, app, "/mod.mjs").headers["content-type"].startswith("text/javascript")
    for path in ("/.env", "/nothing", "/below/.env", "/..%2f..%2fetc/passwd"):
        assert serving(server, app, path).status_code in (400, 404), path


def test_a_procfile_alone(app: App) -> None:
    app.commit(
        {"Procfile": "web: sh ./run 'a  b'\nworker: true\n", "run": 'echo "$1 on $PORT"; ls'}
    )
    app.commit({".dockerignore": "hidden", "hidden": "x", "node_modules/x": "x", "Ä": "ü"})
    image = app.image(app.build())
    assert image["status"] == "built", app.log(1)
    assert image["processes"] == {"web": "sh ./run 'a  b'", "worker": "true"}
    run = ["docker", "run", "--rm", "-e", "PORT=9", str(image["image_digest"])]
    done = subprocess.run(run, capture_output=True, text=True, check=True)
    assert done.stdout == "a  b on 9\nProcfile\nrun\nÄ\n"


def test_a_change_of_the_source_installs_nothing(app: App) -> None:
    flask = "from flask import Flask\n\napp = Flask(__name__)\n"
    app.commit({"requirements.txt": "flask\n", "app.py": flask})
    assert app.image(app.build())["status"] == "built", app.log(1)
    assert "Successfully installed" in app.log(1)
    app.commit({"app.py": f"{flask}# more\n"})
    assert app.image(app.build())["status"] == "built", app.log(2)
    assert "Successfully installed" not in app.log(2)
    assert "CACHED" in app.log(2)
