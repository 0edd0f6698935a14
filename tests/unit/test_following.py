"""How long a follower waits for a platform that is gone."""

from typing import Any

import httpx
import pytest

from barque.client.errors import Unreachable
from barque.client.work import Give, Read, Request, Retries, Send, Wait, events


def test_a_stream_is_resumed_for_five_minutes_and_then_given_up() -> None:
    told: list[bool] = []
    following: Any = events(
        Request("GET", "/logs"), Retries(), lambda event: [event.data], told.append
    )
    waited, step = 0.0, next(following)
    assert isinstance(step, Send)
    step = following.send(httpx.Response(200))
    assert isinstance(step, Read)
    step = following.send(b"id: 1\ndata: one\n\n")
    assert step == Give("one")
    step = next(following)
    with pytest.raises(Unreachable, match="does not answer"):
        while True:
            if isinstance(step, Wait):
                waited += step.seconds
                step = following.send(None)
            else:
                step = following.throw(httpx.ConnectError("refused"))
    assert 300 <= waited < 400
    assert told == [True]
