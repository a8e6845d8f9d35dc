"""Signatures verify with a program that is not ours, and break where a reader would be misled."""

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from postroom.engines.self_test import published
from postroom.engines.signing import relaxed_body, signature

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
HEADERS = [
    (b"Received", b" from a by b"),
    (b"From", b" Mia <mia@acme.example>"),
    (b"To", b" joe@far.example,\r\n\tkim@far.example"),
    (b"Subject", b" Hello   there"),
    (b"List-Unsubscribe", b" <https://acme.example/u>"),
    (b"List-Unsubscribe-Post", b" List-Unsubscribe=One-Click"),
]
BODIES = [b"", b"\r\n", b"hi", b"hi\r\n", b"a  b \t c \r\n\r\n\r\n", b"unix\nlines\n", b"\r\n\r\nlast", b"x" * 100_000]


def message(headers: list[tuple[bytes, bytes]], body: bytes) -> bytes:
    return b"".join(name + b":" + value + b"\r\n" for name, value in headers) + b"\r\n" + body


def signed(headers: list[tuple[bytes, bytes]] = HEADERS, body: bytes = b"hi\r\n") -> list[tuple[bytes, bytes]]:
    value = signature(headers, body, "acme.example", "s1", KEY, 1_790_000_000)
    return [(b"DKIM-Signature", value.encode()), *headers]


def verifies(headers: list[tuple[bytes, bytes]], body: bytes = b"hi\r\n") -> bool:
    asked: list[bytes] = []

    def dns(name: bytes, timeout: int = 5) -> bytes:
        asked.append(name)
        return published(KEY)

    good = dkim.verify(message(headers, body), dnsfunc=dns)
    assert asked == [b"s1._domainkey.acme.example."]
    return bool(good)


@pytest.mark.parametrize("body", BODIES)
def test_ed25519_verifies_by_a_program_that_is_not_ours(body: bytes) -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    crlf = body.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    value = signature(HEADERS, body, "acme.example", "e1", key, 1_790_000_000)
    whole = message([(b"DKIM-Signature", value.encode()), *HEADERS], crlf)
    assert "a=ed25519-sha256;" in value
    assert dkim.verify(whole, dnsfunc=lambda name, timeout=5: published(key))
    other = ed25519.Ed25519PrivateKey.generate()
    assert not dkim.verify(whole, dnsfunc=lambda name, timeout=5: published(other))


@pytest.mark.parametrize("body", BODIES)
def test_every_sort_of_body_verifies(body: bytes) -> None:
    crlf = body.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    assert verifies(signed(body=body), crlf)


def test_what_a_hop_may_change_does_not_matter() -> None:
    value = signed()
    touched = [(name.upper(), text.replace(b"   ", b" ")) for name, text in value]
    assert verifies([(b"Received", b" from c by d"), *touched])


@pytest.mark.parametrize("added", [b"From", b"from"])
def test_a_second_from_breaks_it(added: bytes) -> None:
    value = signed()
    assert not verifies([value[0], (added, b" ceo@acme.example"), *value[1:]])
    assert not verifies([*value, (added, b" ceo@acme.example")])


@pytest.mark.parametrize("at", range(2, len(HEADERS) + 1))
def test_a_changed_header_breaks_it(at: int) -> None:
    value = signed()
    value[at] = (value[at][0], value[at][1] + b"x")
    assert not verifies(value)


def test_a_changed_body_breaks_it() -> None:
    assert not verifies(signed(), b"hi!\r\n")


def test_no_length_no_sha1_one_signature() -> None:
    value = dict(signed())[b"DKIM-Signature"].decode()
    tags = dict(tag.strip().split("=", 1) for tag in value.split(";"))
    assert (tags["a"], tags["c"], tags["v"]) == ("rsa-sha256", "relaxed/relaxed", "1")
    assert "l" not in tags
    assert "".join(tags["h"].split()).split(":").count("from") == 2
    assert "received" not in tags["h"]
    assert all(len(line) < 79 for line in value.split("\r\n"))


def test_relaxed_bodies_of_the_rfc() -> None:
    """RFC 6376, 3.4.5."""
    assert relaxed_body(b" C \r\nD \t E\r\n\r\n\r\n") == b" C\r\nD E\r\n"
