"""The site is made, and read, without a network."""

import re
import subprocess
import sys
from pathlib import Path

from tests.documents.blocks import ROOT

_FETCHED = re.compile(r"<(?:script|link|img|iframe)\b[^>]*(?:src|href)=[\"']?(?:https?:)?//[^>]*>")


def test_the_site(tmp_path: Path) -> None:
    # A network without even a loopback of its own: whatever is fetched fails.
    build = [sys.executable, "-m", "mkdocs", "build", "--strict", "-d", str(tmp_path)]
    done = subprocess.run(
        ["unshare", "--net", *build], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    made = list(tmp_path.rglob("*.html"))
    assert len(made) > 15
    for page in made:
        assert _FETCHED.findall(page.read_text()) == [], page
