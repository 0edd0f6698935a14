"""Each sample repository builds and serves, upon base images made without a registry."""

import json
import subprocess

import httpx
import pytest

from tests.conftest import Server
from tests.e2e.helpers import EXAMPLES, deploy, ended, example, serving

LISTING = (
    "for program in cc gcc g++ make go npm pip pip3 uv; do command -v $program; done; "
    "ls -A /root /root/.cache /root/.npm /run/secrets 2>/dev/null; id -u; "
    "touch /app/written && echo may write"
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
