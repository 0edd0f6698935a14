"""Signatures, pauses, and which addresses are refused."""

import base64
import hashlib
import hmac
import socket
from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from barque.settings import Settings
from barque.webhooks.backoff import ATTEMPTS, pause
from barque.webhooks.guard import AddressRefused, Guard
from barque.webhooks.signature import PREFIX, new_secret, sign

EIGHT_HOURS = 8 * 3600


def test_a_signature_of_the_specification() -> None:
    # The example of the Standard Webhooks specification and its libraries.
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    body = b'{"test": 2432232314}'
    said = sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert said == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@given(st.binary(), st.integers(0, 2**40), st.uuids())
def test_signatures_are_over_id_time_and_body(body: bytes, stamp: int, event: object) -> None:
    secret = new_secret()
    key = base64.b64decode(secret.removeprefix(PREFIX))
    assert len(key) == 32
    wanted = hmac.digest(key, f"{event}.{stamp}.".encode() + body, hashlib.sha256)
    assert sign(secret, str(event), stamp, body) == f"v1,{base64.b64encode(wanted).decode()}"
    assert sign(new_secret(), str(event), stamp, body) != sign(secret, str(event), stamp, body)


@given(st.integers(1, ATTEMPTS - 1), st.floats(0.1, 60), st.floats(0, 1))
def test_pauses_grow_up_to_a_bound(attempts: int, first: float, chance: float) -> None:
    middle = pause(attempts, first, 0.5)
    assert middle is not None
    assert middle == pytest.approx(min(first * 4 ** (attempts - 1), EIGHT_HOURS))
    varied = pause(attempts, first, chance)
    assert varied is not None
    assert 0.8 * middle <= varied * 1.000001
    assert varied <= 1.200001 * middle
    assert (pause(attempts + 1, first, 0.5) or EIGHT_HOURS) >= middle


def test_pauses_end() -> None:
    assert pause(ATTEMPTS, 5, 0.5) is None
    waits = [pause(attempts, 5, 0.5) or 0 for attempts in range(1, ATTEMPTS)]
    assert waits[:4] == [5, 20, 80, 320]
    assert 36 * 3600 < sum(waits) < 48 * 3600


PRIVATE = [
    "127.0.0.1", "10.0.0.1", "172.16.3.4", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "0.0.0.0", "255.255.255.255", "224.0.0.1", "240.0.0.1", "::", "::1", "fe80::1", "fe80::1%eth0",
    "fc00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::a00:1",
    "2002:7f00:1::", "2001:0:1::", "2001:db8::1", "::127.0.0.1",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_refused(address: str) -> None:
    with pytest.raises(AddressRefused, match="BARQUE_WEBHOOK_ALLOW_PRIVATE"):
        Guard().check_literal(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_public_ones_are_not(address: str) -> None:
    Guard().check_literal(address)


def test_an_operator_can_allow_networks() -> None:
    guard = Guard([ip_network("10.0.0.0/8"), ip_network("fd00::/8")])
    guard.check_literal("10.1.2.3")
    guard.check_literal("::ffff:10.1.2.3")
    guard.check_literal("fd00::1")
    with pytest.raises(AddressRefused):
        guard.check_literal("127.0.0.1")


async def test_names_are_refused_by_where_they_lead() -> None:
    guard = Guard()
    for name in ("localhost", "2130706433", "0x7f.1"):
        with pytest.raises(AddressRefused, match=r"127\.0\.0\.1"):
            await guard.resolve(name, 80)
    with pytest.raises(socket.gaierror):
        await guard.resolve("nowhere.invalid", 80)
    allowed = Guard([ip_network("127.0.0.0/8")])
    assert [one["host"] for one in await allowed.resolve("localhost", 80)] == ["127.0.0.1"]
    await guard.close()


@pytest.mark.parametrize(
    ("said", "networks"),
    [
        ("", []), ("false", []), ("true", ["0.0.0.0/0", "::/0"]), ('["10.0.0.0/8"]', ["10.0.0.0/8"])
    ],
)  # fmt: skip
def test_the_setting(said: str, networks: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BARQUE_WEBHOOK_ALLOW_PRIVATE", said)
    assert [str(one) for one in Settings().webhook_allow_private] == networks
