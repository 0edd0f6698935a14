"""Style sheets, scripts and pictures: read once, and named by what they hold."""

import gzip
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

_FOLDER = Path(__file__).parent / "static"
_MEDIA = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class Asset:
    """A file as it is sent: `packed` by gzip, or plain."""

    media: str
    plain: bytes
    packed: bytes


_FILES = {
    path.name: path.read_bytes() for path in sorted(_FOLDER.iterdir()) if path.suffix in _MEDIA
}
VERSION = sha256(b"".join(_FILES.values())).hexdigest()[:12]
ASSETS = {
    name: Asset(_MEDIA[Path(name).suffix], held, gzip.compress(held, mtime=0))
    for name, held in _FILES.items()
}


def address(name: str) -> str:
    """Return the address of an asset, which changes when any of them does."""
    if name not in ASSETS:
        raise KeyError(name)
    return f"/assets/{VERSION}/{name}"
