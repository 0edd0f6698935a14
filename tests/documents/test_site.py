"""The site is made without a network, and what is made from the code is up to date."""

import re
import subprocess
import sys
from pathlib import Path

from barque.system.reference import pages
from tests.documents.blocks import ROOT

_FETCHED = re.compile(r"<(?:script|link|img|iframe)\b[^>]*(?:src|href)=[\"']?(?:https?:)?//[^>]*>")


def test_the_references_are_up_to_date() -> None:
    for name, text in pages().items():
        assert (ROOT / "docs" / name).read_text() == text, "run scripts/reference.py"


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
