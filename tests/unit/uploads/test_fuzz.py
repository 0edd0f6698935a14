from pathlib import Path

from tests.unit.uploads.cases import try_all


def test_archives_that_mean_harm(tmp_path: Path) -> None:
    # bench/fuzz.py tries fifty times as many.
    taken = try_all(1, 2000, tmp_path)
    assert 200 < taken < 1800, "both what is sound and what is not is tried"
