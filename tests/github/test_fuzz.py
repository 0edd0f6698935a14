"""The hook answers whatever is delivered (the whole of it: `make fuzz-hook`)."""

from pathlib import Path

from tests.github.fuzzing import fuzz, fuzz_rules


def test_no_delivery_is_an_error(tmp_path: Path) -> None:
    assert len(fuzz_rules(500)) > 3
    found = fuzz(tmp_path, 200)
    assert found["refused"] > 3
    assert found["started"] > 3
