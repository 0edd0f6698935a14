"""What is sealed under a passphrase comes back whole, or not at all."""

import io

import pytest

from barque.backup import cipher
from barque.backup.cipher import MAGIC, Opened, Sealing, Unsealable

CHUNK = 1024 * 1024
PASSPHRASE = "correct horse battery staple"


@pytest.fixture(autouse=True)
def cheaply(monkeypatch: pytest.MonkeyPatch) -> None:
    """Guessing the passphrases of the tests may cost little."""
    monkeypatch.setattr(cipher, "_N", 2**4)


def sealed(*parts: bytes) -> bytes:
    file = io.BytesIO()
    with Sealing(file, PASSPHRASE) as sealing:
        for part in parts:
            sealing.write(part)
    return file.getvalue()


def opened(data: bytes, passphrase: str = PASSPHRASE) -> bytes:
    return io.BufferedReader(Opened(io.BytesIO(data), passphrase)).read()


@pytest.mark.parametrize(
    "parts", [[], [b"x"], [b"a" * CHUNK], [b"ab" * CHUNK, b"c"]], ids=["none", "one", "even", "odd"]
)
def test_it_comes_back(parts: list[bytes]) -> None:
    data = sealed(*parts)
    assert data.startswith(MAGIC)
    assert opened(data) == b"".join(parts)


def test_it_is_whole_or_refused() -> None:
    data, head = sealed(b"secret" * CHUNK), len(MAGIC) + 23
    assert b"secret" not in data
    chunks = [data[at : at + CHUNK + 16] for at in range(head, len(data), CHUNK + 16)]
    start = data[:head]
    with pytest.raises(Unsealable, match="passphrase that it was made with"):
        opened(data, "another one, of another backup")
    for wrong in (
        b"".join((start, *chunks[:-1])),
        b"".join((start, chunks[0], *chunks[2:])),
        b"".join((start, chunks[0], chunks[2], chunks[1], *chunks[3:])),
        data[:-1],
        data + b"x",
        bytes([*data[:-40], data[-40] ^ 1, *data[-39:]]),
    ):
        with pytest.raises(Unsealable, match="damaged"):
            opened(wrong)
