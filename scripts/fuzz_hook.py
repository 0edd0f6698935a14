"""Delivers 100,000 drawn deliveries to the GitHub hook (or as many as are asked for)."""

import sys
import tempfile
import time
from pathlib import Path

from tests.github.fuzzing import fuzz

if __name__ == "__main__":
    cases = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        found = fuzz(Path(folder), cases)
    print(f"{sum(found.values())} deliveries in {time.monotonic() - begun:.0f} s: {found}")
