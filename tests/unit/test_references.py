"""References of images that were built elsewhere."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from barque.images.prebuilt import complaint, port_of, processes_of
from barque.images.references import PATTERN, parse
from barque.runtimes.port import ImageInfo

DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("reference", "whole"),
    [
        ("nginx", "nginx:latest"),
        ("nginx:1.27", "nginx:1.27"),
        ("127.0.0.1:5000/acme/api", "127.0.0.1:5000/acme/api:latest"),
        ("ghcr.io/acme/api:v1", "ghcr.io/acme/api:v1"),
        (f"acme/api@{DIGEST}", f"acme/api@{DIGEST}"),
        # The digest says all; an engine does not find what is named by both.
        (f"acme/api:v1@{DIGEST}", f"acme/api@{DIGEST}"),
    ],
)
def test_parts(reference: str, whole: str) -> None:
    assert re.fullmatch(PATTERN, reference)
    assert str(parse(reference)) == whole


@pytest.mark.parametrize(
    "reference",
    ["", "Nginx", "nginx:", "nginx:a b", "/nginx", "a//b", "nginx@sha256:12", "http://a/b", "a;b",
     "a/../b", "-a", "nginx:-x", f"sha256:{'a' * 64}@x"],
)  # fmt: skip
def test_what_is_none(reference: str) -> None:
    assert not re.fullmatch(PATTERN, reference)


@pytest.mark.parametrize(
    ("reference", "reserved"),
    [
        ("barque/0190-x:1", True), ("docker.io/barque/a", True), ("barque/a/b:1", True),
        ("index.docker.io/barque/a", True), ("barque/base:busybox", False),
        ("barque/base/x", True), ("ghcr.io/barque/a", False), ("acme/barque", False),
    ],
)  # fmt: skip
def test_names_of_the_platforms_own(reference: str, reserved: bool) -> None:
    assert parse(reference).reserved is reserved


WORDS = st.sampled_from(["a", "a1", "a.b", "a_b", "a__b", "a--b", "barque", "base", "library"])


@given(
    host=st.sampled_from(["", "localhost/", "docker.io/", "127.0.0.1:5000/", "Registry.Example/"]),
    path=st.lists(WORDS, min_size=1, max_size=4).map("/".join),
    tag=st.sampled_from(["", ":1", ":v1.2_x-y", ":latest"]),
    digest=st.sampled_from(["", f"@{DIGEST}"]),
)
def test_every_reference_has_parts(host: str, path: str, tag: str, digest: str) -> None:
    reference = f"{host}{path}{tag}{digest}"
    assert re.fullmatch(PATTERN, reference)
    name = parse(reference)
    assert name.name == f"{host}{path}"
    assert name.version == (digest[1:] or tag[1:] or "latest")
    assert parse(str(name)) == name


def test_processes_of_labels() -> None:
    labels = {"barque.process.web": "serve --port $PORT", "barque.process.worker": " work ",
              "barque.process.a b": "no name", "barque.process.": "no name",
              "barque.process.empty": "", "other": "x"}  # fmt: skip
    assert processes_of(labels) == {"web": "serve --port $PORT", "worker": "work"}
    assert processes_of({"other": "x"}) == {"web": ""}


@pytest.mark.parametrize(
    ("label", "ports", "port"),
    [("", (80,), 80), ("", (), None), ("", (80, 443), None), ("90", (80, 443), 90),
     ("0", (80,), 80), ("65536", (), None), ("9999999999", (), None), ("x", (), None)],
)  # fmt: skip
def test_the_port_of_an_image(label: str, ports: tuple[int, ...], port: int | None) -> None:
    assert port_of(ImageInfo("sha256:x", 1, {"barque.port": label}, ports)) == port


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        ("manifest for acme/api:v1 not found: manifest unknown", "no such image or tag"),
        ("pull access denied for acme/api, repository does not exist or may require 'docker "
         "login': denied: requested access to the resource is denied", "not for everybody"),
        ("dial tcp: lookup ghcr.io: no such host", "cannot be reached"),
        ("no matching manifest for linux/arm64 in the manifest list entries", "processor"),
        ("toomanyrequests: You have reached your pull rate limit", "allows no more"),
        ("who knows", "the engine refuses it (who knows)"),
    ],
)  # fmt: skip
def test_complaints_say_what_to_do(said: str, advice: str) -> None:
    told = complaint(parse("acme/api:v1"), said)
    assert told.startswith("acme/api:v1 cannot be fetched: ")
    assert advice in told
    assert said in told
