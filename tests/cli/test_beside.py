"""Who is told, what opens repositories, plans, base images, serving."""

import json
import re
import subprocess
from pathlib import Path

from tests.cli.conftest import Run, said
from tests.conftest import App, Server


def test_webhooks(barque: Run, app: App) -> None:
    org = ("--org", app.path.split("/")[2])
    # Port 9 of this machine is where nobody listens.
    make = ("webhooks", "create", "http://127.0.0.1:9/x", "-e", "build.failed", "--project", "shop")
    made = said(barque(*make, *org, "--json"))
    assert made["secret"].startswith("whsec_")
    webhook = str(made["id"])
    assert webhook in barque("webhooks", "list", *org).stdout
    # What is shown this once is in one piece, on however narrow a terminal.
    shown = barque("webhooks", "rotate", webhook, *org, COLUMNS="40").stdout
    assert re.search(r"^secret  whsec_\S{40,}$", shown, re.M)
    assert "barque webhooks ping" in barque("webhooks", "deliveries", webhook, *org).stderr
    rotated = said(barque("webhooks", "rotate", webhook, *org, "--json"))
    assert rotated["secret"] != made["secret"]
    sent = said(barque("webhooks", "ping", webhook, *org, "--json"))
    again = said(barque("webhooks", "redeliver", webhook, str(sent["id"]), *org, "--json"))
    rows = said(barque("webhooks", "deliveries", webhook, *org, "--json"))
    assert [row["id"] for row in rows] == [again["id"], sent["id"]]
    changed = said(barque("webhooks", "set", webhook, "--inactive", *org, "--json"))
    assert (changed["active"], changed["events"]) == (False, ["build.failed"])
    shown = said(barque("webhooks", "show", webhook, *org, "--json"))
    # Deliveries fail meanwhile, since nobody listens there.
    assert (shown["id"], shown["events"]) == (webhook, changed["events"])
    assert "active" in barque("webhooks", "ping", webhook, *org).stderr
    assert barque("webhooks", "delete", webhook, *org).returncode == 0
    assert barque("link", app.address).returncode == 0
    assert webhook not in barque("webhooks").stdout
    refused = barque("webhooks", "create", "http://10.0.0.1/")
    assert "private address" in refused.stderr


def test_git_credentials(barque: Run, org: str, tmp_path: Path) -> None:
    name = org.removeprefix("/orgs/")
    made = barque("git-credentials", "add", name, "ci", "--json", stdin="ghp_secret\n")
    assert said(made)["host"] == "github.com"
    key = barque("git-credentials", "add", name, "deploy", "--ssh-key", "--repository", "a/b")
    assert key.stdout.startswith("ssh-ed25519 ")
    assert "github.com" in key.stderr
    (tmp_path / "token").write_text("ghp_secret")
    file = barque("git-credentials", "add", name, "file", "--value-file", str(tmp_path / "token"))
    assert file.returncode == 0
    listed = barque("git-credentials", "list", name).stdout
    assert [line.split()[0] for line in listed.splitlines()] == ["NAME", "ci", "deploy", "file"]
    assert "ghp_secret" not in made.stdout + listed
    assert barque("git-credentials", "remove", name, "ci").returncode == 0
    assert barque("git-credentials", "remove", name, "ci").returncode == 4


def test_serve_and_down(own_server: Server, barque: Run) -> None:
    data = ("--data-dir", str(own_server.data_dir), "--apps-port", str(own_server.apps_port))
    assert barque("down", *data).returncode == 0
    assert own_server.process is not None
    assert own_server.process.wait(timeout=30) == 0
    found = subprocess.run(["pgrep", "-f", str(own_server.data_dir)], check=False)
    assert found.returncode == 1, "nothing of it runs any more"


def test_plan_needs_no_platform(barque: Run, tmp_path: Path) -> None:
    nowhere = {"BARQUE_URL": "http://127.0.0.1:9", "BARQUE_API_KEY": "x"}
    folder = tmp_path / "shop"
    folder.mkdir()
    nothing = barque("plan", str(folder), **nowhere)
    assert (nothing.returncode, nothing.stdout) == (1, "")
    assert "no Dockerfile" in nothing.stderr
    (folder / "app.py").write_text("from flask import Flask\napp = Flask(__name__)\n")
    shown = barque("plan", str(folder), **nowhere)
    assert "gunicorn is not among the dependencies, and is added" in shown.stderr
    assert shown.stdout.splitlines()[-1].startswith('CMD ["/bin/sh", "-c", "exec gunicorn')
    (folder / "Procfile").write_text("web: python app.py\n")
    found = json.loads(barque("plan", str(folder), "--json", **nowhere).stdout)
    assert found["plan"]["provider"] == "python"
    assert found["processes"] == {"web": "python app.py"}
    (folder / "Dockerfile").write_text("FROM x\n")
    own = barque("plan", str(folder), "--dockerfile", **nowhere)
    assert (own.returncode, own.stdout, own.stderr) == (0, "FROM x\n", "")


def test_base_images(barque: Run) -> None:
    rows = said(barque("base-images", "list", "--json"))
    assert isinstance(rows, list)
    assert {row["name"]: row["state"] for row in rows}["static"] == "ready"
    again = barque("base-images", "build", "static")
    assert again.stdout.splitlines() == [
        "barque/base:runtime is there", "barque/base:static is there",
    ]  # fmt: skip
    unknown = barque("base-images", "build", "ruby:3")
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert "there is no base image 'ruby:3'" in unknown.stderr
    nowhere = barque("base-images", "build", "static", DOCKER_HOST="unix:///nonexistent.sock")
    assert nowhere.returncode == 1
    assert "does not answer" in nowhere.stderr
    assert "Traceback" not in nowhere.stderr
