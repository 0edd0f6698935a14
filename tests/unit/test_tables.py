"""What tables show people, and that programs get it as it is."""

import json

import pytest
from rich.console import Console

from barque.cli import output

ROWS = [
    {"cpu": 0.005, "memory": 1277952, "commit_sha": "0123456789abcdef0123456789abcdef01234567"},
    {"cpu": 1.5, "memory": 900, "commit_sha": None},
    {"cpu": 0.0, "memory": 3 * 2**30, "commit_sha": "0123456789ab"},
]  # fmt: skip


def test_people_get_units_and_short_names(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    output.show(ROWS, ("cpu", "memory", "commit_sha"))
    assert [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()] == [
        "CPU MEMORY COMMIT SHA",
        "0.5 % 1.2 MiB 0123456789ab",
        "150.0 % 900 B -",
        "0.0 % 3.0 GiB 0123456789ab",
    ]
    output.describe(ROWS[0])
    assert str(ROWS[0]["commit_sha"]) in capsys.readouterr().out
    monkeypatch.setattr(output.run, "json", True)
    output.show(ROWS, ("cpu", "memory", "commit_sha"))
    assert json.loads(capsys.readouterr().out) == ROWS


def test_an_id_stays_whole_on_a_narrow_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    narrow = Console(width=60, force_terminal=True, color_system=None)
    monkeypatch.setattr(output, "out", narrow)
    row = {"id": "01a2135a-8304-7459-a4f9-db66f11036a0", "status": "retired", "actor": "a" * 60}
    output.show([row], ("id", "status", "actor"))
    assert row["id"] in capsys.readouterr().out
