"""What people install: a wheel, of which the client and the program need no server."""

import subprocess
import sys
from pathlib import Path

UV = (sys.executable, "-m", "uv", "-q")
SOURCE = Path(__file__).parents[2]


def test_the_wheel_installs_without_the_server(tmp_path: Path) -> None:
    build = [*UV, "build", "--wheel", str(SOURCE), "-o", str(tmp_path)]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    subprocess.run([*UV, "venv", "--python", sys.executable, str(tmp_path / "venv")], check=True)
    there = tmp_path / "venv" / "bin"
    subprocess.run([*UV, "pip", "install", "--python", str(there / "python"), wheel], check=True)
    program = (
        "import importlib.util, barque.client;"
        "print(barque.client.__file__, *map(importlib.util.find_spec, ('litestar', 'sqlalchemy')))"
    )
    # Of the working folder, nothing is found.
    done = subprocess.run(
        [there / "python", "-I", "-c", program], check=True, capture_output=True, text=True
    )
    where, *others = done.stdout.split()
    assert Path(where).is_relative_to(tmp_path)
    assert others == ["None", "None"]
    helped = subprocess.run(
        [there / "barque", "--help"], capture_output=True, text=True, check=True
    )
    assert "A deploy you can trust." in helped.stdout
    script = subprocess.run(
        [there / "barque", "completion", "fish"], capture_output=True, check=True
    )
    assert script.stdout
    served = subprocess.run(
        [there / "barque", "serve"], capture_output=True, text=True, check=False
    )
    assert (served.returncode, served.stdout) == (1, "")
    assert "pip install 'barque[server]'" in served.stderr
    assert "Traceback" not in served.stderr
