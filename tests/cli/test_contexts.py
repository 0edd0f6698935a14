"""Who is calling, and where: contexts, keys, exit codes."""

import json
import subprocess
from pathlib import Path

from tests.cli.conftest import Run, environment_in, said
from tests.cli.terminal import PROGRAM, on_terminal
from tests.conftest import Server, free_port


def test_keys_are_kept_private(server: Server, barque: Run, tmp_path: Path) -> None:
    kept = tmp_path / "barque" / "contexts.json"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert "admin@localhost" in barque("whoami").stdout
    wrong = barque("login", server.url, stdin="barque_wrong")
    assert wrong.returncode == 3
    assert wrong.stderr.startswith("barque: the API key is unknown")
    assert "barque login" in wrong.stderr
    assert "barque_wrong" not in wrong.stderr + kept.read_text()
    kept.write_text("{}")
    broken = barque("whoami")
    assert broken.returncode == 1
    assert f"{kept} cannot be read" in broken.stderr


def test_exit_codes(server: Server, barque: Run) -> None:
    nobody = barque("whoami", XDG_CONFIG_HOME="/nonexistent")
    assert (nobody.returncode, nobody.stdout) == (3, "")
    assert "barque login" in nobody.stderr
    nowhere = f"http://127.0.0.1:{free_port()}"
    gone = barque("whoami", BARQUE_URL=nowhere, BARQUE_API_KEY="x")
    assert gone.returncode == 5
    assert "barque serve" in gone.stderr
    missing = barque("orgs", "show", "not-there", "--json")
    assert (missing.returncode, missing.stdout) == (4, "")
    error = json.loads(missing.stderr)["error"]
    assert (error["exit_code"], error["status"]) == (4, 404)
    assert "barque orgs" in error["message"]
    for usage in (
        ("nonsense",),
        ("ps",),
        ("services", "--at", "x"),
        ("scale", "web", "-s", "a"),
        ("services", "show", "a"),
    ):
        done = barque(*usage)
        assert done.returncode == 2, usage
        assert "Traceback" not in done.stderr
    made = said(barque("keys", "create", "ci", "--scope", "read", "--expires", "1h", "--json"))
    forbidden = barque("orgs", "create", "X", BARQUE_URL=server.url, BARQUE_API_KEY=made["key"])
    assert forbidden.returncode == 3
    assert barque("keys", "revoke", made["id"]).returncode == 0
    assert made["id"] in barque("keys").stdout
    listed = barque("help", "exit-codes", "--json")
    assert {row["code"] for row in said(listed)} == {0, 1, 2, 3, 4, 5, 6, 130}
    assert barque("help", "config", "set").stdout.splitlines()[1].startswith(" Usage: ")
    assert barque("help", "nonsense").returncode == 2
    for topic in ("json", "addresses", "environment"):
        assert barque("help", topic).returncode == 0


def test_several_platforms(server: Server, barque: Run) -> None:
    add = ("context", "add", "other", server.url)
    assert barque(*add, stdin=server.key).returncode == 0
    rows = said(barque("context", "list", "--json"))
    assert [(row["name"], row["current"]) for row in rows] == [("here", False), ("other", True)]
    assert barque("context", "use", "here").returncode == 0
    assert said(barque("context", "--json"))[0]["current"] is True
    assert said(barque("--context", "other", "context", "--json"))[1]["current"] is True
    for way in ({"BARQUE_CONTEXT": "nowhere"}, {}):
        options = () if way else ("--context", "nowhere")
        unknown = barque("whoami", *options, **way)
        assert unknown.returncode == 4
        assert "there is here, other" in unknown.stderr
    assert barque("logout", "--context", "other").returncode == 0
    assert barque("context", "remove", "here").returncode == 0
    assert "barque login" in barque("context").stderr
    assert barque("whoami").returncode == 3
    nobody = barque("logout")
    assert (nobody.returncode, "no context is in use" in nobody.stderr) == (3, True)
    assert barque("whoami", BARQUE_DATA_DIR=str(server.data_dir), BARQUE_URL=server.url).stdout


def test_the_program_is_installed(server: Server, tmp_path: Path) -> None:
    done = subprocess.run([PROGRAM, "--version"], check=True, capture_output=True, text=True)
    assert done.stdout == "barque 0.1.0\n"
    # A key that is typed is not shown.
    environment, key = environment_in(tmp_path), server.key
    code, shown = on_terminal(
        ["login", server.url], environment, tmp_path, typed=f"{key}\n", after="API key: "
    )
    assert code == 0
    assert "admin@localhost" in shown
    assert key not in shown
    code, _ = on_terminal(
        ["login", server.url], environment, tmp_path, typed="\x03", after="API key: "
    )
    assert code == 130
