"""What shells complete: commands, options, and the slugs of the platform."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import Run, environment_in
from tests.cli.terminal import PROGRAM
from tests.conftest import App, Server, free_port


def completed(barque: Run, *words: str, **more: str) -> list[str]:
    """Return what is offered for the last word."""
    asked = {
        "_BARQUE_COMPLETE": "complete_bash", "COMP_WORDS": "\n".join(("barque", *words)),
        "COMP_CWORD": str(len(words)),
    }  # fmt: skip
    done = barque(**asked, **more)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split()


def test_addresses_are_known(server: Server, barque: Run, app: App) -> None:
    org, project, env, service = app.address.split("/")
    assert completed(barque, "roll") == ["rollback"]
    assert "--service" in completed(barque, "deploy", "--s")
    assert completed(barque, "deploy", "-s", org[:-2]) == [f"{org}/"]
    assert completed(barque, "ps", "-s", f"{org}/") == [f"{org}/{project}/"]
    assert completed(barque, "envs", "show", f"{org}/{project}/p") == [f"{org}/{project}/{env}"]
    where = f"{org}/{project}/{env}/"
    assert completed(barque, "link", where) == [f"{where}{service}"]
    assert completed(barque, "link", f"{where}{service}/") == []
    assert completed(barque, "context", "use", "") == ["here"]
    assert completed(barque, "completion", "") == ["bash", "zsh", "fish"]


def test_what_is_out_of_reach_is_passed_over(barque: Run) -> None:
    nowhere = {"BARQUE_URL": f"http://127.0.0.1:{free_port()}", "BARQUE_API_KEY": "x"}
    assert completed(barque, "ps", "-s", "", **nowhere) == []
    assert completed(barque, "ps", "-s", "", XDG_CONFIG_HOME="/nonexistent") == []
    assert completed(barque, "ps", "-s", "not-there/") == []


# Each types a command up to its last word, and prints what would be put in that word's place.
SHELLS = {
    "bash": """
        eval "$(barque completion bash)"
        COMP_WORDS=(barque link "$1") COMP_CWORD=2
        compopt() { :; }
        _barque_completion barque
        echo "${COMPREPLY[@]}"
    """,
    "zsh": """
        compdef() { :; }
        eval "$(barque completion zsh)"
        words=(barque link "$1") CURRENT=3
        compadd() { local -a all; all=("${(@P)@[-1]}"); print -r -- $all; }
        _barque_completion | tr -d '\\n'
    """,
    "fish": """
        barque completion fish | source
        complete --do-complete "barque link $argv[1]"
    """,
}


@pytest.mark.parametrize("shell", SHELLS)
def test_shells_ask_for_it(
    server: Server, barque: Run, app: App, shell: str, tmp_path: Path
) -> None:
    org, _, rest = app.address.partition("/")
    path = f"{PROGRAM.parent}:/usr/bin:/bin"
    environment = {**environment_in(tmp_path), "PATH": path, "HOME": str(tmp_path)}
    found = shutil.which(shell, path=path)
    assert found is not None, f"{shell} is missing: run scripts/setup.sh tests"
    separate = ["-c", SHELLS[shell], *([] if shell == "fish" else ["-"]), org[:-2]]
    done = subprocess.run(
        [found, *separate], env=environment, check=True, capture_output=True, text=True
    )
    assert done.stdout.strip() == f"{org}/", done.stderr
    assert done.stderr == ""
    assert rest
