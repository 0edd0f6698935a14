"""What the programs of the documents compute."""

import time
from typing import Any

from barque.webhooks.signature import new_secret, sign
from tests.documents.blocks import ROOT, blocks


def test_the_check_of_signatures() -> None:
    (block,) = (one for one in blocks(ROOT / "docs" / "webhooks.md") if one.language == "python")
    page: dict[str, Any] = {}
    exec("\n".join(block.lines), page)
    secret, body = new_secret(), b'{"type": "ping"}'

    def genuine(said: bytes, *secrets: str, age: int = 0) -> bool:
        moment = int(time.time()) - age
        signatures = " ".join(sign(one, "id", moment, body) for one in secrets)
        headers = {
            "webhook-id": "id", "webhook-timestamp": str(moment), "webhook-signature": signatures,
        }  # fmt: skip
        return bool(page["is_genuine"](secret, headers, said))

    assert genuine(body, secret)
    assert genuine(body, new_secret(), secret), "also while the secret is being replaced"
    assert not genuine(body + b" ", secret)
    assert not genuine(body, new_secret())
    assert not genuine(body, secret, age=3600)
