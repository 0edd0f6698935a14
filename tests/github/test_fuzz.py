"""The hook answers whatever is delivered (the whole of it: `make fuzz-hook`)."""

from pathlib import Path

from tests.github.fuzzing import fuzz


def test_no_delivery_is_an_error(tmp_path: Path) -> None:
    found = fuzz(tmp_path, 400)
    assert found["refused"] > 10
    assert found["started"] > 10
