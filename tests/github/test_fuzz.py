"""The hook answers whatever is delivered (the whole of it: `make bench-hook`)."""

from pathlib import Path

from tests.github.fuzzing import fuzz, fuzz_rules


def test_no_delivery_is_an_error(tmp_path: Path) -> None:
    assert {"refused", "True", "open, ignore"} < fuzz_rules(1000).keys()
    assert {"refused", "started", "ignored"} <= fuzz(tmp_path, 400).keys()
