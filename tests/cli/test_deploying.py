"""From a build to a rollback, and deploying without a repository."""

import json
import re
from pathlib import Path

from tests.cli.conftest import Run, environment_in, said
from tests.cli.terminal import on_terminal
from tests.conftest import App, Server
from tests.e2e.helpers import serving, web


def test_from_build_to_rollback(barque: Run, app: App, tmp_path: Path) -> None:
    assert barque("link", app.address).returncode == 0
    for group, command in (("releases", "deploy"), ("deployments", "deploy"), ("images", "build")):
        assert f"'barque {command}'" in barque(group).stderr
    app.commit({**web("one"), "Procfile": "web: echo up; exec httpd -f -p $PORT -h /www\n"})
    built = barque("build")
    assert built.returncode == 0, built.stderr
    assert "building commit" in built.stdout
    assert "\x1b" not in built.stdout
    first = barque("deploy")
    assert first.returncode == 0, first.stderr
    assert first.stdout.splitlines()[-1] == "live: the new release serves"
    assert "\x1b" not in first.stdout
    assert said(barque("scale", "web=2", "--json"))["process_counts"] == {"web": 2}
    assert barque("config", "set", "A=1").returncode == 0
    # On a terminal, the steps are redrawn until the last one is done.
    code, shown = on_terminal(["deploy"], environment_in(tmp_path), tmp_path)
    assert code == 0
    assert "✓" in shown.rpartition("live")[0]
    assert "\x1b[1A" in shown
    check_what_runs(barque)
    check_what_was(barque)
    code, shown = on_terminal(
        ["logs", "-f"], environment_in(tmp_path), tmp_path, typed="\x03", after="web.1 | up"
    )
    assert code == 130
    assert "Traceback" not in shown
    address = app.api.get(app.path).json()["url"]
    assert barque("open", BROWSER="true").stdout.startswith(address)
    check_a_promotion(barque, app)
    restarted = said(barque("restart", "--json"))
    assert (restarted["release_version"], restarted["status"]) == (2, "live")
    check_what_goes_on(barque)


def check_what_goes_on(barque: Run) -> None:
    begun = said(barque("rollback", "--detach", "--json"))
    assert (begun["release_version"], "status" in begun) == (1, False)
    left = barque("restart", "-d")
    assert "RELEASE VERSION" in left.stdout
    assert "'barque deployments logs " in left.stderr
    left = barque("build", "-d")
    assert "IMAGE ID" in left.stdout
    assert "'barque images logs 2 --follow'" in left.stderr
    followed = barque("images", "logs", "2", "-f")
    assert followed.returncode == 0


def check_a_promotion(barque: Run, app: App) -> None:
    project = app.address.rpartition("/")[0].rpartition("/")[0]
    assert barque("envs", "create", project, "Staging").returncode == 0
    assert barque("services", "create", f"{project}/staging", "Api").returncode == 0
    move = ("promote", "production", "staging", "--preview")
    preview = said(barque(*move, "--json"))
    assert (preview["same_image"], preview["config"]["only_in_source"]) == (False, ["A"])
    shown = barque(*move)
    assert "ONLY IN SOURCE" in shown.stdout
    assert "another image" in shown.stderr


def check_what_runs(barque: Run) -> None:
    rows = said(barque("ps", "--json"))
    assert [(row["type"], row["index"]) for row in rows] == [("web", 0), ("web", 1)]
    assert "| up" in barque("logs", "--process", "web", "--since", "1h").stdout
    assert "| up" in barque("logs", "--search", "UP", "--tail", "1").stdout
    assert barque("logs", "--search", "down", "--until", "0s").stdout == ""
    assert "time zone" in barque("logs", "--until", "2026-01-01T00:00:00").stderr
    followed = barque("logs", "--follow", "--until", "0s", "--json")
    assert {json.loads(line)["text"] for line in followed.stdout.splitlines()} == {"up"}
    ran = barque("run", "--", "sh", "-c", "echo hi; exit 4")
    assert (ran.returncode, ran.stdout) == (4, "hi\n")
    inside = barque("exec", "--index", "1", "--", "echo $BARQUE_RELEASE; exit 5")
    assert (inside.returncode, inside.stdout) == (5, "2\n")
    late = barque("exec", "--timeout", "1", "--json", "--", "sleep 100")
    assert (late.returncode, json.loads(late.stdout)["timed_out"]) == (1, True)
    nobody = barque("exec", "--process", "worker", "--", "true")
    assert nobody.returncode == 1
    assert "'barque ps'" in nobody.stderr


def check_what_was(barque: Run) -> None:
    differ = said(barque("releases", "diff", "1", "2", "--json"))
    assert [(row["what"], row["change"]) for row in differ] == [("config A", "added")]
    assert "config A" in barque("releases", "diff", "1", "2").stdout
    assert "are the same" in barque("releases", "diff", "2", "2").stderr
    back = said(barque("rollback", "--preview", "--release", "1", "--json"))
    assert [(row["what"], row["change"]) for row in back] == [("config A", "removed")]
    assert "change nothing" in barque("rollback", "--preview", "--release", "2").stderr
    assert barque("deploy", "--preview", "--image", "busybox:1").returncode == 2
    assert "image 1" in barque("releases", "log", "1").stdout
    assert "A" in barque("releases", "show", "2").stdout
    assert said(barque("images", "show", "1", "--json"))["status"] == "built"
    assert "building commit" in barque("images", "logs", "1").stdout
    assert barque("images", "cancel", "1").returncode == 1
    rows = said(barque("deployments", "--json"))
    assert [row["status"] for row in rows] == ["live", "retired"]
    assert "switching" in barque("deployments", "show").stdout
    assert "live: the new release serves" in barque("deployments", "logs", "--follow").stdout
    assert barque("deployments", "cancel", rows[0]["id"]).returncode == 1
    metrics = said(barque("pipeline", "metrics", "--json"))
    assert metrics["deployments"]["succeeded"] == 2
    history = said(barque("pipeline", "history", "-n", "2", "--json"))
    assert [row["kind"] for row in history] == ["deployment", "deployment"]
    assert "live" in barque("pipeline").stdout


def test_what_fails_says_so(barque: Run, app: App, tmp_path: Path) -> None:
    assert barque("link", app.address).returncode == 0
    assert "no lines are kept" in barque("logs").stderr
    missing = {
        "'barque images'": ("images", "show", "9"), "'barque releases'": ("releases", "show", "9"),
        "'barque deployments'": ("deployments", "show", "x"),
    }  # fmt: skip
    for lists, command in missing.items():
        assert f"{lists} lists what there is" in barque(*command).stderr
    early = barque("deploy")
    assert early.returncode == 1
    assert "'barque build'" in early.stderr
    app.commit({**web("one"), "Procfile": "web: exit 9\n"})
    failed = barque("pipeline", "deploy")
    assert failed.returncode == 6
    assert "exit code 9" in failed.stderr
    assert re.search(r"'barque deployments logs \S+'$", failed.stderr)
    # What is to be typed next is right where nothing is linked, too.
    (tmp_path / ".barque-link").unlink()
    again = barque("deploy", "-s", app.address)
    assert re.search(rf"'barque deployments logs \S+ -s {app.address}'$", again.stderr)
    assert barque("link", app.address).returncode == 0
    assert "failed" in barque("releases").stdout
    app.commit({"Dockerfile": "FROM barque/base:busybox\nRUN exit 3\n"})
    broken = barque("build", "--json")
    assert (broken.returncode, broken.stdout) == (6, "")
    error = json.loads(broken.stderr.splitlines()[-1])["error"]
    assert "exit code: 3" in error["message"]
    assert error["image"]["version"] == 2
    nothing = barque("promote", "staging", "production")
    assert nothing.returncode == 4


def test_deploying_a_folder(barque: Run, server: Server, app: App, tmp_path: Path) -> None:
    service = ("-s", app.address)
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
    assert failed.returncode == 6
    assert "exit code: 3" in failed.stderr
    assert len(app.api.get(f"{app.path}/deployments").json()["items"]) == 1
    assert barque("deploy", "--source", ".", "--image", "1", *service).returncode == 2


def test_an_image_instead_of_a_repository(barque: Run, env: str) -> None:
    where = "/".join(env.split("/")[2::2])
    image = ("--image", "barque/base:busybox")
    made = said(barque("services", "create", where, "Cache", *image, "--json"))
    assert made["image_reference"] == "barque/base:busybox"
    service = ("-s", f"{where}/cache")
    missing = barque("deploy", "--image", "barque/base:not-there", *service)
    assert missing.returncode == 6
    assert "base-images build" in missing.stderr
    shown = said(barque("services", "show", f"{where}/cache", "--json"))
    assert shown["image_reference"] == "barque/base:not-there"
    assert "is not built" in barque("deploy", "--image", "7", *service).stderr
    barque("services", "create", where, "Api", "--repository", "a/b")
    refused = barque("deploy", *image, "-s", f"{where}/api")
    assert "built from its repository a/b" in refused.stderr
    assert f"'barque services set {where}/api --image barque/base:busybox'" in refused.stderr
    for option, value in (image, ("--repository", "a/c")):
        assert barque("services", "set", f"{where}/api", option, value).returncode == 0
    changed = said(barque("services", "show", f"{where}/api", "--json"))
    assert (changed["github_repository"], changed["image_reference"]) == ("a/c", None)
