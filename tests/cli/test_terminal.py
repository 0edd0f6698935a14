"""Commands in containers, at a real terminal and in a pipe."""

import subprocess
from pathlib import Path

from tests.cli.conftest import Run, environment_in
from tests.cli.terminal import PROGRAM, on_terminal
from tests.conftest import App
from tests.e2e.helpers import build, containers, deploy, ended, runs_in, until, web


def live(barque: Run, app: App) -> None:
    build(app, web("x"))
    assert ended(app, deploy(app))["status"] == "live"
    assert barque("link", app.address).returncode == 0


def test_at_a_terminal(barque: Run, app: App, tmp_path: Path) -> None:
    live(barque, app)
    environment = environment_in(tmp_path)
    talk = [("# ", "stty size\n"), ("40 120", ""), ("# ", "exit 7\n")]
    code, shown = on_terminal(["exec"], environment, tmp_path, talk=talk)
    assert code == 7, shown
    assert "Traceback" not in shown
    # A shell at its prompt may lose what is typed while it starts something.
    # One signal that comes right before a command starts is heeded when that ends.
    waits = "trap 'echo got it; exit 9' INT; echo o$((1))n; while :; do sleep 0.1; done"
    code, shown = on_terminal(["exec", "--", waits], environment, tmp_path, talk=[("o1n", "\x03")])
    assert (code, "got it" in shown) == (9, True)
    code, shown = on_terminal(["run", "--", "tty; exit 3"], environment, tmp_path)
    assert (code, "/dev/" in shown) == (3, True)
    # The terminal is as it was before: what is typed next is shown.
    script = f"{PROGRAM} exec -- true; stty -a"
    _, shown = on_terminal(["-c", script], environment, tmp_path, program="/bin/sh")
    assert " echo " in shown and " icanon" in shown, shown


def test_in_a_pipe(barque: Run, app: App, tmp_path: Path) -> None:
    live(barque, app)
    piped = barque("exec", "-i", "--", "tr a-z A-Z; echo oops >&2; exit 4", stdin="said")
    assert (piped.returncode, piped.stdout, piped.stderr) == (4, "SAID", "oops\n")
    plain = barque("exec", "--", "echo plain")
    assert (plain.returncode, plain.stdout) == (0, "plain\n")
    assert "which command" in barque("exec").stderr
    assert barque("exec", "-i", "--timeout", "3", "--", "cat").returncode == 2
    nobody = barque("exec", "-i", "--process", "cron", "--", "true")
    assert nobody.returncode != 0
    assert "cron" in nobody.stderr


def test_whoever_is_killed_leaves_nothing(barque: Run, app: App, tmp_path: Path) -> None:
    live(barque, app)
    command = [str(PROGRAM), "exec", "-i", "--", "echo on; exec sleep 72001"]
    program = subprocess.Popen(
        command, env=environment_in(tmp_path), cwd=tmp_path, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )  # fmt: skip
    assert program.stdout is not None
    assert program.stdout.readline() == b"on\n"
    [name] = containers(app)
    assert runs_in(name, "sleep 72001")
    program.kill()
    program.wait()
    until(lambda: not runs_in(name, "sleep 72001"))
