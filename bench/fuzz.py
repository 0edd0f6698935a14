"""Archives that mean harm, 100,000 of them: none may write outside its folder, or end in a defect.

Printed are how many were taken, and the processor time. `python -m bench.fuzz [seed]`.
"""

import sys
import tempfile
import time
from pathlib import Path

from tests.unit.uploads.cases import try_all

COUNT = 100_000


def main() -> None:
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else int(time.time())
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        begun = time.process_time()
        taken = try_all(seed, COUNT, Path(folder) / "top")
        spent = time.process_time() - begun
    print(f"seed {seed}: {COUNT} archives, {taken} of them sound, in {spent:.1f} s of processor")


if __name__ == "__main__":
    main()
