"""Writes docs/api.md from the endpoints as they are declared."""

from pathlib import Path

from barque.app import endpoints
from barque.system.docs import markdown
from barque.system.openapi import document

if __name__ == "__main__":
    here = Path(__file__).parent.parent
    (here / "docs" / "api.md").write_text(markdown(document(endpoints())))
