"""Draws 100,000 deliveries (or as many as are asked for) for the rules of the GitHub hook to judge.

A fifth as many go to the app itself. Any error ends it.
"""

import sys
import tempfile
import time
from pathlib import Path

from tests.github.fuzzing import fuzz, fuzz_rules


def report(what: str, begun: float, found: dict[str, int]) -> None:
    """Say what the deliveries came to, and how long that took."""
    print(f"{what}: {sum(found.values())} in {time.monotonic() - begun:.0f} s: {found}", flush=True)


if __name__ == "__main__":
    cases = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    begun = time.monotonic()
    report("rules", begun, fuzz_rules(cases))
    with tempfile.TemporaryDirectory() as folder:
        begun = time.monotonic()
        report("app", begun, fuzz(Path(folder), cases // 5))
