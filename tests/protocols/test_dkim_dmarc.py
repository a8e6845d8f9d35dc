"""DKIM key records and DMARC policies."""

import base64
from dataclasses import replace

import dkim as dkimpy
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from hypothesis import given
from hypothesis import strategies as st

from postroom.protocols import dkim, dmarc
from postroom.protocols.dkim import BadKeyRecord
from postroom.protocols.dmarc import BadDmarc, Dmarc

PRIVATE, PUBLIC = dkim.make_rsa()
SHORT = dkim.make_rsa(1024)[1]
MESSAGE = b"From: mia@acme.example\r\nTo: ole@globex.example\r\nSubject: Hello\r\n\r\nHello.\r\n"


def test_an_independent_program_signs_and_verifies_with_our_key() -> None:
    signature = dkimpy.sign(MESSAGE, b"s1", b"acme.example", PRIVATE.encode())
    asked: list[bytes] = []

    def published(name: bytes, timeout: int = 5) -> bytes:
        asked.append(name)
        return dkim.key_record(PUBLIC).encode()

    assert dkimpy.verify(signature + MESSAGE, dnsfunc=published)
    assert asked == [dkim.key_name("s1", "Acme.example").encode()]
    assert not dkimpy.verify(signature + MESSAGE.replace(b"Hello.", b"Hullo."), dnsfunc=published)


def test_an_independent_program_verifies_with_both_kinds_of_keys() -> None:
    private, public = dkim.make_ed25519()
    assert dkim.public_of(private) == public and dkim.algorithm_of(public) == "ed25519"
    key = serialization.load_pem_private_key(private.encode(), password=None)
    assert isinstance(key, ed25519.Ed25519PrivateKey)
    seed = base64.b64encode(key.private_bytes_raw())
    signature = dkimpy.sign(MESSAGE, b"s2", b"acme.example", seed, signature_algorithm=b"ed25519-sha256")
    record = dkim.key_record(public, "ed25519")
    assert dkimpy.verify(signature + MESSAGE, dnsfunc=lambda name, timeout=5: record.encode())
    assert dkim.parse(record).bits == 256 and dkim.algorithm_of(PUBLIC) == "rsa"


def test_what_we_write_of_a_policy_reads_back() -> None:
    every = "v=DMARC1; p=reject; sp=none; np=quarantine; psd=n; t=y; adkim=s; aspf=s; rua=mailto:a@b.example; fo=d"
    for text in (every, "v=DMARC1; p=none", "v=DMARC1; p=none; ruf=mailto:a@b.example,mailto:c@d.example"):
        assert dmarc.write(dmarc.parse(text)) == text
    assert dmarc.write(dmarc.parse("v=DMARC1; x; pct=5; p=block; rua=mailto:a@b.example!10m")) == (
        "v=DMARC1; p=none; rua=mailto:a@b.example"
    )


def test_what_we_publish_reads_back() -> None:
    key = dkim.parse(dkim.key_record(PUBLIC))
    assert (key.algorithm, key.public, key.bits, key.revoked, key.weak) == ("rsa", PUBLIC, 2048, False, False)
    assert dkim.public_of(PRIVATE) == PUBLIC
    assert dkim.parse(dkim.key_record("")).revoked


@pytest.mark.parametrize(
    "text, algorithm, bits",
    [
        (f"p={PUBLIC}", "rsa", 2048),
        (f"v=DKIM1;k=rsa;t=y:s;p={PUBLIC[:40]} {PUBLIC[40:]};", "rsa", 2048),
        (f"v=DKIM1; h=sha1:sha256; p={SHORT}", "rsa", 1024),
        ("v=DKIM1; k=ed25519; p=" + base64.b64encode(bytes(32)).decode(), "ed25519", 256),
    ],
)
def test_key_records_verifiers_read(text: str, algorithm: str, bits: int) -> None:
    key = dkim.parse(text)
    assert (key.algorithm, key.bits) == (algorithm, bits)


@pytest.mark.parametrize(
    "text, says",
    [
        ("", "p="),
        ("v=DKIM1; k=rsa", "p="),
        ("v=DKIM2; p=", "v="),
        ("k=rsa; v=DKIM1; p=", "v="),
        ("v=DKIM1; p=; p=", "twice"),
        ("v=DKIM1; nonsense; p=", "not a tag"),
        ("v=DKIM1; p=!!!", "base64"),
        ("v=DKIM1; p=AAAA", "no RSA key"),
        ("v=DKIM1; k=dsa; p=AAAA", "not known"),
        ("v=DKIM1; k=ed25519; p=AAAA", "32 octets"),
        (f"v=DKIM1; h=sha1; p={PUBLIC}", "sha256"),
    ],
)
def test_key_records_verifiers_reject(text: str, says: str) -> None:
    with pytest.raises(BadKeyRecord, match=says):
        dkim.parse(text)


@pytest.mark.parametrize("selector", ["", "S1", "a.b", "-a", "a_b", "a" * 64, "s1\n"])
def test_a_selector_is_a_label(selector: str) -> None:
    with pytest.raises(ValueError, match="selector"):
        dkim.key_name(selector, "acme.example")


def test_our_first_policy() -> None:
    text = dmarc.build(["dmarc@northlight.example"])
    assert text == "v=DMARC1; p=none; rua=mailto:dmarc@northlight.example"
    assert dmarc.parse(text) == Dmarc(rua=("mailto:dmarc@northlight.example",))
    assert dmarc.build([], "reject", sp="none", t=True) == "v=DMARC1; p=reject; sp=none; t=y"
    for rua, p in ((["a@b.example,mailto:c@d.example"], "none"), (["a;b@c.example"], "none"), ([], "block")):
        with pytest.raises(BadDmarc):
            dmarc.build(rua, p)


@pytest.mark.parametrize(
    "text, read, warnings",
    [
        ("v=DMARC1", Dmarc(), ["p= is missing"]),
        ("v=DMARC1;p=REJECT;", Dmarc(p="reject"), []),
        ("v = DMARC1 ; p = quarantine ; t=y", Dmarc(p="quarantine", t=True), []),
        ("v=DMARC1; p=reject; np=none; psd=y; foo=bar", Dmarc(p="reject", np="none", psd="y"), ["foo="]),
        ("v=DMARC1; p=reject; sp=block", Dmarc(), ["sp=block"]),
        ("v=DMARC1; p=reject; junk; t=y", Dmarc(p="reject", t=True), ["junk"]),
        ("V=DMARC1; p=reject; fo=0:1", Dmarc(p="reject"), ["exclude"]),
        ("v=DMARC1; p=none; fo=1:d; adkim=s; aspf=s", Dmarc(fo=("1", "d"), adkim="s", aspf="s"), []),
        ("v=DMARC1; p=none; pct=50; rf=afrf; ri=3600", Dmarc(), ["pct=", "rf=", "ri="]),
        ("v=DMARC1; p=block", Dmarc(), ["p=block"]),
        ("v=DMARC1; p=none; rua=mailto:a@b.example!10m, junk", Dmarc(rua=("mailto:a@b.example!10m",)), ["junk", "!"]),
    ],
)
def test_policies_as_receivers_read_them(text: str, read: Dmarc, warnings: list[str]) -> None:
    found = dmarc.parse(text)
    assert replace(found, faults=()) == read
    assert len(found.warnings) == len(warnings)
    assert all(any(part in warning for warning in found.warnings) for part in warnings)


@pytest.mark.parametrize("text", ["", "v=dmarc1; p=none", "p=none; v=DMARC1", "v=DMARC10", "v=DMARC1; p=none; p=none"])
def test_policies_receivers_ignore(text: str) -> None:
    with pytest.raises(BadDmarc):
        dmarc.parse(text)


def test_testing_takes_one_step_off() -> None:
    order = [Dmarc("none"), Dmarc("none", t=True), Dmarc("quarantine", t=True)]
    order += [Dmarc("reject", t=True), Dmarc("quarantine"), Dmarc("reject")]
    assert [policy.strength(policy.p) for policy in order] == [0, 0, 0, 1, 1, 2]


@given(st.text("v=DMARC1;psnta:,! mailto@.e", max_size=60))
def test_any_tail_is_read_or_refused(text: str) -> None:
    try:
        assert dmarc.parse("v=DMARC1;" + text).p in dmarc.POLICIES
    except BadDmarc:
        return
