"""What the command line says while it waits for a platform that is away."""

import pytest

from barque.cli.context import client


def test_it_says_what_it_waits_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BARQUE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("BARQUE_API_KEY", "x")
    monkeypatch.setenv("XDG_CONFIG_HOME", "/nonexistent")
    with client() as known:
        known.connection.on_away(True)
        known.connection.on_away(False)
    assert capsys.readouterr().err.splitlines() == [
        "barque: the platform does not answer; waiting for it (up to 5 minutes)",
        "barque: the platform answers again",
    ]
