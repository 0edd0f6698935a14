"""What people own: organizations, projects, environments, services, members, config."""

from pathlib import Path

from tests.cli.conftest import Run, said
from tests.conftest import App


def test_four_levels(barque: Run, app: App) -> None:
    org, project, env, _ = app.address.split("/")
    where = f"{org}/{project}/{env}"
    assert org in barque("orgs", "list").stdout
    made = said(barque("services", "create", where, "Worker", "--platform", "steam", "--json"))
    assert (made["slug"], made["platform"]) == ("worker", "steam")
    changed = barque("services", "set", f"{where}/worker", "--repository", "a/b", "--json")
    assert said(changed)["github_repository"] == "a/b"
    bad = barque("services", "create", where, "Worker")
    assert bad.returncode == 1
    assert "is taken" in bad.stderr
    assert barque("services", "delete", f"{where}/worker").returncode == 0
    slugs = [row["slug"] for row in said(barque("services", "list", where, "--json"))]
    assert slugs == ["api"]
    fresh = said(barque("envs", "create", f"{org}/{project}", "Try", "--protected", "--json"))
    assert (fresh["slug"], fresh["protected"]) == ("try", True)
    options = ("--unprotected", "--type", "staging", "--auto-deploy-branch", "main", "--json")
    other = said(barque("envs", "set", f"{org}/{project}/try", *options))
    assert (other["protected"], other["env_type"], other["auto_deploy_branch"]) == (
        False, "staging", "main",
    )  # fmt: skip
    off = ("envs", "set", f"{org}/{project}/try", "--auto-deploy-branch", "", "--json")
    assert said(barque(*off))["auto_deploy_branch"] is None
    assert "staging" in barque("envs", "show", f"{org}/{project}/try").stdout
    assert "barque services create" in barque("services", "list", f"{org}/{project}/try").stderr
    assert barque("projects", "set", f"{org}/{project}", "--name", "Store").returncode == 0
    assert barque("orgs", "set", org, "--name", "Acme").returncode == 0
    assert said(barque("projects", "show", f"{org}/{project}", "--json"))["name"] == "Store"
    held = barque("orgs", "delete", org)
    assert (held.returncode, held.stderr.endswith("with --cascade\n")) == (1, True)
    assert barque("projects", "delete", f"{org}/{project}", "--cascade").returncode == 0
    assert barque("orgs", "delete", org).returncode == 0


def test_what_is_linked_needs_no_address(barque: Run, app: App) -> None:
    for group in ("orgs", "projects", "envs", "services"):
        assert "barque link" in barque(group, "show").stderr
    assert barque("link", app.address).returncode == 0
    for depth, group in enumerate(("orgs", "projects", "envs", "services"), start=1):
        slug, name = app.address.split("/")[depth - 1], f"Of {group}"
        assert said(barque(group, "set", "--name", name, "--json"))["slug"] == slug
        assert said(barque(group, "show", "--json"))["name"] == name
        # What is gone is gone: that is said in full.
        assert "missing argument" in barque(group, "delete").stderr
    # An address that goes too far down names something else.
    assert barque("projects", "set", app.address, "--name", "x").returncode == 2


def test_who_may_and_who_did(barque: Run, app: App) -> None:
    org = ("--org", app.address.partition("/")[0])
    assert barque("members", "add", "ann@example.org", *org).returncode == 0
    changed = barque("members", "set", "ann@example.org", "--role", "developer", *org, "--json")
    assert said(changed)["role"] == "developer"
    assert "ann@example.org" in barque("members", "list", *org).stdout
    assert barque("members", "remove", "ann@example.org", *org).returncode == 0
    assert barque("link", app.address).returncode == 0
    for group in (
        "orgs", "projects", "envs", "services", "config", "members", "webhooks", "git-credentials",
    ):  # fmt: skip
        assert barque(group).returncode == 0, group
    assert "api" in barque("services").stdout
    assert barque("lock", "a freeze").returncode == 0
    locked = barque("rollback")
    assert locked.returncode == 1
    unlocked = said(barque("unlock", "--json"))
    assert unlocked["locked_by"] is None
    rows = said(barque("audit", "-n", "2", "--json"))
    assert [row["action"] for row in rows] == ["service.unlock", "service.lock"]
    assert said(barque("previews", "--json")) == []
    status = said(barque("pipeline", "status", "--json"))
    assert status["services"][0]["service"] == "api"
    assert said(barque("health", "--json"))["status"] == "ok"
    assert "barque_" in barque("metrics").stdout
    assert len(said(barque("platforms", "--json"))) == 6
    assert said(barque("openapi", "--json"))["openapi"] == "3.1.0"
    misplaced = barque("config", "--at", "x", "list")
    assert misplaced.returncode == 2
    assert "after 'list'" in misplaced.stderr


def test_config(barque: Run, app: App, tmp_path: Path) -> None:
    assert barque("config", "list").returncode == 2
    assert barque("link", app.address).returncode == 0
    assert barque("config", "set", "A=1", "B=x=y").returncode == 0
    shown = barque("config", "set", "TOKEN=hidden-value", "--secret")
    assert shown.returncode == 2
    assert "others can see arguments" in shown.stderr
    assert "hidden-value" not in shown.stderr
    piped = barque("config", "set", "TOKEN", "--secret", stdin="hidden-value\n")
    assert piped.returncode == 0
    assert barque("config", "set", "NOTHING").returncode == 2
    (tmp_path / "more.env").write_text("C=3\nexport D='four'\n")
    assert barque("config", "import", "more.env").returncode == 0
    level = ("--at", app.address.rpartition("/")[0])
    assert said(barque("config", "import", "-", *level, "--json", stdin="A=0\n")) == {
        "created": ["A"], "replaced": [], "unchanged": [],
    }  # fmt: skip
    rows = said(barque("config", "resolved", "--json"))
    assert {row["name"]: row["value"] for row in rows} == {
        "A": "1", "B": "x=y", "C": "3", "D": "four", "TOKEN": None,
    }  # fmt: skip
    assert "environment" in barque("config", "resolved").stdout
    assert barque("config", "get", "B").stdout == "x=y\n"
    assert barque("config", "get", "TOKEN").returncode == 1
    assert said(barque("config", "change", "B", "--buildtime", "--json"))["buildtime"] is True
    assert barque("config", "unset", "A").returncode == 0
    assert barque("config", "get", "A").stdout == "0\n"
    assert barque("config", "unset", "A").returncode == 4
    assert barque("config", "get", "NOT_THERE").returncode == 4
    missing = barque("config", "import", "not-there")
    assert missing.stderr == "barque: not-there: No such file or directory\n"
    refused = barque("config", "set", "PORT=1")
    assert refused.returncode == 1
    assert "PORT" in refused.stderr
