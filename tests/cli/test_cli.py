"""The program `barque`, against the real platform."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import App, Server
from tests.e2e.helpers import serving, web

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def barque(server: Server, tmp_path: Path) -> Run:
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("BARQUE_")}
    environment = {**inherited, "XDG_CONFIG_HOME": str(tmp_path), "COLUMNS": "200"}

    def run(*arguments: str, stdin: str = "", **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "barque", *arguments], env={**environment, **more}, cwd=tmp_path,
            capture_output=True, text=True, input=stdin, check=False,
        )  # fmt: skip

    assert run("login", server.url, stdin=server.key).returncode == 0
    return run


def said(done: subprocess.CompletedProcess[str]) -> object:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_login_is_kept_private(server: Server, barque: Run, tmp_path: Path) -> None:
    kept = tmp_path / "barque" / "credentials.json"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert "admin@localhost" in barque("whoami").stdout
    wrong = barque("login", server.url, stdin="barque_wrong")
    assert wrong.returncode == 1
    assert wrong.stderr.startswith("barque: the API key is unknown")
    nobody = barque("whoami", XDG_CONFIG_HOME="/nonexistent")
    assert (nobody.returncode, nobody.stdout) == (1, "")
    assert "barque login" in nobody.stderr
    gone = barque("whoami", BARQUE_URL="http://127.0.0.1:9", BARQUE_API_KEY="x")
    assert gone.returncode == 1
    assert "barque serve" in gone.stderr
    assert "Traceback" not in gone.stderr


def test_what_people_own(barque: Run, app: App) -> None:
    env = app.path.removeprefix("/orgs/").partition("/services")[0]
    org, _, project, _, name = env.split("/")
    where = f"{org}/{project}/{name}"
    assert org in barque("orgs", "list").stdout
    made = said(barque("services", "create", where, "Worker", "--platform", "steam", "--json"))
    assert (made["slug"], made["platform"]) == ("worker", "steam")  # type: ignore[index]
    changed = barque("services", "set", f"{where}/worker", "--repository", "a/b", "--json")
    assert said(changed)["github_repository"] == "a/b"  # type: ignore[index]
    bad = barque("services", "create", where, "Worker")
    assert bad.returncode == 1
    assert "is taken" in bad.stderr
    assert barque("services", "delete", f"{where}/worker").returncode == 0
    slugs = [row["slug"] for row in said(barque("services", "list", where, "--json"))]  # type: ignore[attr-defined]
    assert slugs == ["api"]
    assert barque("nonsense").returncode == 2


def test_config(barque: Run, app: App, tmp_path: Path) -> None:
    address = "/".join(app.path.split("/")[2::2])
    assert barque("config", "list").returncode == 1
    assert barque("link", address).returncode == 0
    for group in ("orgs", "projects", "envs", "services", "config"):
        assert barque(group).returncode == 0, group
    assert "api" in barque("services").stdout
    assert barque("config", "set", "A=1", "B=x=y").returncode == 0
    assert barque("config", "set", "TOKEN=hidden-value", "--secret").returncode == 0
    (tmp_path / "more.env").write_text("C=3\nexport D='four'\n")
    assert barque("config", "import", "more.env").returncode == 0
    rows = said(barque("config", "resolved", "--json"))
    assert {row["name"]: row["value"] for row in rows} == {  # type: ignore[attr-defined]
        "A": "1", "B": "x=y", "C": "3", "D": "four", "TOKEN": None,
    }  # fmt: skip
    assert barque("config", "unset", "A").returncode == 0
    assert barque("config", "unset", "A").returncode == 1
    assert barque("config", "set", "novalue").returncode == 2
    refused = barque("config", "set", "PORT=1")
    assert refused.returncode == 1
    assert "PORT" in refused.stderr


def test_from_build_to_rollback(barque: Run, app: App) -> None:
    service = ("-s", "/".join(app.path.split("/")[2::2]))
    app.commit({**web("one"), "Procfile": "web: echo up; exec httpd -f -p $PORT -h /www\n"})
    built = barque("build", "--follow", *service)
    assert built.returncode == 0, built.stderr
    assert "building commit" in built.stdout
    deployed = barque("deploy", "--follow", *service)
    assert deployed.returncode == 0, deployed.stderr
    assert "live: the new release serves" in deployed.stdout
    assert said(barque("scale", "web=2", "--json", *service))["process_counts"] == {"web": 2}  # type: ignore[index]
    assert barque("scale", "web", *service).returncode == 2
    assert barque("restart", "--follow", *service).returncode == 0
    rows = said(barque("ps", "--json", *service))
    assert [(row["type"], row["index"]) for row in rows] == [("web", 0), ("web", 1)]  # type: ignore[attr-defined]
    assert "| up" in barque("logs", "--process", "web", "--since", "1h", *service).stdout
    assert "| up" in barque("logs", "--search", "UP", "--tail", "1", *service).stdout
    assert barque("logs", "--search", "down", "--until", "0s", *service).stdout == ""
    assert "time zone" in barque("logs", "--until", "2026-01-01T00:00:00", *service).stderr
    followed = barque("logs", "--follow", "--until", "0s", "--json", *service)
    assert {json.loads(line)["text"] for line in followed.stdout.splitlines()} == {"up"}
    ran = barque("run", *service, "--", "echo", "hi;", "exit", "4")
    assert (ran.returncode, ran.stdout) == (4, "hi\n")
    app.commit({"Procfile": "web: exit 9\n"})
    assert barque("build", "--follow", *service).returncode == 0
    failed = barque("deploy", "--follow", *service)
    assert failed.returncode == 1
    assert "exit code 9" in failed.stderr
    assert "failed" in barque("deployments", *service).stdout
    assert "failed" in barque("releases", *service).stdout
    address = app.api.get(app.path).json()["url"]
    assert barque("open", *service, BROWSER="true").stdout.startswith(address)
    app.commit({"Dockerfile": "FROM barque/base:busybox\nRUN exit 3\n"})
    broken = barque("build", "--follow", *service)
    assert broken.returncode == 1
    assert "exit code: 3" in broken.stderr


def test_deploying_a_folder(barque: Run, server: Server, app: App, tmp_path: Path) -> None:
    service = ("-s", "/".join(app.path.split("/")[2::2]))
    folder = tmp_path / "site"
    folder.mkdir()
    empty = barque("deploy", "--source", str(folder), *service)
    assert (empty.returncode, empty.stdout) == (1, "")
    assert "nothing to upload" in empty.stderr
    (folder / "Dockerfile").write_text(web("a folder")["Dockerfile"] + "COPY . /www\n")
    for name, text in ((".gitignore", "secret\n"), ("secret", "x"), ("page", "here")):
        (folder / name).write_text(text)
    done = barque("deploy", "--source", str(folder), *service)
    assert done.returncode == 0, done.stderr
    assert "building the uploaded source" in done.stdout
    assert done.stdout.splitlines()[-1] == "live: the new release serves"
    assert serving(server, app).text == "a folder\n"
    assert serving(server, app, "/page").text == "here"
    assert serving(server, app, "/secret").status_code == 404
    (folder / "Dockerfile").write_text("FROM barque/base:busybox\nRUN exit 3\n")
    failed = barque("deploy", "--source", str(folder), *service)
    assert failed.returncode == 1
    assert "exit code: 3" in failed.stderr
    assert len(app.api.get(f"{app.path}/deployments").json()["items"]) == 1
    assert barque("deploy", "--source", ".", "--image", "1", *service).returncode == 2


def test_an_image_instead_of_a_repository(barque: Run, env: str) -> None:
    where = "/".join(env.split("/")[2::2])
    image = ("--image", "barque/base:busybox")
    made = said(barque("services", "create", where, "Cache", *image, "--json"))
    assert made["image_reference"] == "barque/base:busybox"  # type: ignore[index]
    service = ("-s", f"{where}/cache")
    missing = barque("deploy", "--image", "barque/base:not-there", "--follow", *service)
    assert missing.returncode == 1
    assert "base-images build" in missing.stderr
    shown = said(barque("services", "show", f"{where}/cache", "--json"))
    assert shown["image_reference"] == "barque/base:not-there"  # type: ignore[index]
    assert "is not built" in barque("deploy", "--image", "7", *service).stderr
    barque("services", "create", where, "Api", "--repository", "a/b")
    refused = barque("deploy", *image, "-s", f"{where}/api")
    assert "github_repository" in refused.stderr
    for option, value in (image, ("--repository", "a/c")):
        assert barque("services", "set", f"{where}/api", option, value).returncode == 0
    changed = said(barque("services", "show", f"{where}/api", "--json"))
    assert (changed["github_repository"], changed["image_reference"]) == ("a/c", None)  # type: ignore[index]


def test_webhooks(barque: Run, app: App) -> None:
    org = ("--org", app.path.split("/")[2])
    # Port 9 of this machine is where nobody listens.
    make = ("webhooks", "create", "http://127.0.0.1:9/x", "-e", "build.failed", "--project", "shop")
    made = said(barque(*make, *org, "--json"))
    assert made["secret"].startswith("whsec_")  # type: ignore[index]
    webhook = str(made["id"])  # type: ignore[index]
    assert webhook in barque("webhooks", "list", *org).stdout
    rotated = said(barque("webhooks", "rotate", webhook, *org, "--json"))
    assert rotated["secret"] != made["secret"]  # type: ignore[index]
    sent = said(barque("webhooks", "ping", webhook, *org, "--json"))
    again = said(barque("webhooks", "redeliver", webhook, str(sent["id"]), *org, "--json"))  # type: ignore[index]
    rows = said(barque("webhooks", "deliveries", webhook, *org, "--json"))
    assert [row["id"] for row in rows] == [again["id"], sent["id"]]  # type: ignore[attr-defined,index]
    changed = said(barque("webhooks", "set", webhook, "--inactive", *org, "--json"))
    assert (changed["active"], changed["events"]) == (False, ["build.failed"])  # type: ignore[index]
    assert said(barque("webhooks", "show", webhook, *org, "--json")) == changed
    assert "active" in barque("webhooks", "ping", webhook, *org).stderr
    assert barque("webhooks", "delete", webhook, *org).returncode == 0
    assert barque("link", "/".join(app.path.split("/")[2::2])).returncode == 0
    assert webhook not in barque("webhooks").stdout
    refused = barque("webhooks", "create", "http://10.0.0.1/")
    assert "private address" in refused.stderr


def test_git_credentials(barque: Run, org: str, tmp_path: Path) -> None:
    name = org.removeprefix("/orgs/")
    made = barque("git-credentials", "add", name, "ci", "--json", stdin="ghp_secret\n")
    assert said(made)["host"] == "github.com"  # type: ignore[index]
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
    assert barque("git-credentials", "remove", name, "ci").returncode == 1


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
