"""Writes the pages of docs/ that are made from the code: the API, the commands, the settings."""

from pathlib import Path

from barque.system.reference import pages

if __name__ == "__main__":
    for name, text in pages().items():
        (Path(__file__).parent.parent / "docs" / name).write_text(text)
