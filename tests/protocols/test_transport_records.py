"""What protects mail on the way, as read: MTA-STS policies, TLSA records, CAA issuers (RFC 8461, 6698, 8659)."""

from hashlib import sha256, sha512

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judged_zone import FAILS, Zone, answers, certificate, pinned
from postroom.protocols import mta_sts, tlsa
from postroom.protocols.caa import issuer, relevant
from postroom.protocols.mta_sts import BadPolicy, MtaSts, parse_policy, record_id

GOOD = b"version: STSv1\nmode: enforce\nmx: mx.acme.example\nmx: *.acme.example\nmax_age: 86400\n"
READ = MtaSts("enforce", 86400, ("mx.acme.example", "*.acme.example"))


@pytest.mark.parametrize(
    ("body", "read"),
    [
        (GOOD, READ),
        (GOOD.replace(b"\n", b"\r\n"), READ),
        (GOOD.rstrip(), READ),
        (GOOD.replace(b"\n", b" \t\n"), READ),
        (GOOD.replace(b": ", b":"), READ),
        (GOOD + b"future-key: anything at all\n", READ),
        (GOOD.replace(b"86400", b"31557600"), MtaSts("enforce", 31557600, READ.mx)),
        (GOOD.replace(b"86400", b"0000086400"), READ),
        (GOOD + b"x: " + b"y" * (65536 - len(GOOD) - 4) + b"\n", READ),
        (GOOD + b"mode: none\n", MtaSts("enforce", 86400, READ.mx, ("mode",))),
        (b"mode: none\nmax_age: 0\nversion: STSv1\n", MtaSts("none", 0)),
        (GOOD.replace(b"mx.acme", b"MX.Acme"), READ),
    ],
)
def test_policies_that_senders_read(body: bytes, read: MtaSts) -> None:
    assert parse_policy(body) == read


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "version"),
        (GOOD.replace(b"STSv1", b"STSv2"), "version"),
        (GOOD.replace(b"enforce", b"Enforce"), "mode"),
        (GOOD.replace(b"86400", b"31557601"), "max_age"),
        (GOOD.replace(b"86400", b"-1"), "max_age"),
        (GOOD.replace(b"86400", b"1e3"), "max_age"),
        (GOOD.replace(b"86400", "8²".encode()), "max_age"),
        (GOOD.replace(b"86400", b"00000086400"), "max_age"),
        (GOOD.replace(b"mx: ", b"xm: "), "no mx"),
        (GOOD.replace(b"*.acme", b"mx.*.acme"), "mx:"),
        (GOOD.replace(b"*.acme.example", b"45.0.0.25:25"), "mx:"),
        (GOOD + b"<html>\n", "colon"),
        (GOOD.replace(b"\n", b"\r"), "colon"),
        (GOOD + b"\xff: x\n", "UTF-8"),
        (GOOD + b"x: y\n" * 20_000, "octets"),
    ],
)
def test_policies_that_senders_ignore(body: bytes, says: str) -> None:
    with pytest.raises(BadPolicy, match=says):
        parse_policy(body)


@given(st.binary(max_size=200))
def test_any_file_is_read_or_ignored(body: bytes) -> None:
    try:
        assert parse_policy(GOOD + body).mode == "enforce"
    except BadPolicy:
        return


def test_a_wildcard_stands_for_one_label() -> None:
    hosts = {"mx.acme.example": True, "MX2.acme.example.": True, "a.b.acme.example": False, "acme.example": False}
    assert {host: mta_sts.matches("*.acme.example", host) for host in hosts} == hosts
    assert READ.covers("mx.acme.example") and not READ.covers("mx.globex.example")


@pytest.mark.parametrize(
    ("text", "id"),
    [
        ("v=STSv1; id=20160831085700Z;", "20160831085700Z"),
        ("v=STSv1;id=1;future=x", "1"),
        ("v=STSv1; id=;", None),
        ("v=STSv1;", None),
        ("v=STSv1; id=" + "1" * 33, None),
        ("v=STSv1; id=a-b", None),
        ("v=STSv1; id=1; id=2", None),
        ("v=STSv1; id=1; junk", None),
        ("v=STSv1 ; id=1", None),
    ],
)
def test_the_record(text: str, id: str | None) -> None:
    assert record_id(text) == id


DER = certificate()
EXACT = (3, 0, 0, DER.hex())


@pytest.mark.parametrize(
    ("record", "chain", "fits"),
    [
        (pinned(), [DER], True),
        (pinned(), [b"other", DER], None),
        (EXACT, [DER], True),
        ((3, 0, 1, sha256(DER).hexdigest().upper()), [DER], True),
        ((3, 0, 2, sha512(DER).hexdigest()), [DER], True),
        ((3, 0, 1, "ab" * 32), [DER], False),
        ((2, 0, 1, sha256(DER).hexdigest()), [b"leaf", DER], True),
        ((3, 0, 1, sha256(DER).hexdigest()), [b"leaf", DER], False),
        ((2, 0, 1, sha256(b"leaf").hexdigest()), [b"leaf", DER], False),
        (pinned(1), [DER], False),
        ((3, 1, 1, pinned()[3][:-2]), [DER], False),
    ],
)
def test_a_record_and_a_certificate(record: tlsa.Tlsa, chain: list[bytes], fits: bool | None) -> None:
    if fits is None:
        with pytest.raises(ValueError):
            tlsa.fits([record], chain)
    else:
        assert tlsa.fits([record], chain) is fits


@pytest.mark.parametrize(
    ("record", "says"),
    [
        ((4, 1, 1, "ab" * 32), "usage"),
        ((3, 2, 1, "ab" * 32), "selector"),
        ((3, 1, 3, "ab" * 32), "matching"),
        ((3, 1, 1, "ab"), "1 octets"),
        ((3, 1, 2, "ab" * 32), "32 octets"),
        ((3, 0, 0, ""), "0 octets"),
        ((3, 0, 0, "x"), "hex"),
    ],
)
def test_records_that_cannot_be(record: tlsa.Tlsa, says: str) -> None:
    assert says in tlsa.malformed(record) and not tlsa.counts(record)


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ("ca.example", "ca.example"),
        (" CA.example ; account=230123; policy = ev ", "ca.example"),
        (";", ""),
        ("", ""),
        ("%%%%%", None),
        ("ca example", None),
        ("ca.example; account", None),
        ("ca..example", None),
    ],
)
def test_issuers(value: str, names: str | None) -> None:
    assert issuer(value) == names


ISSUE = ((0, "issue", "ca.example"),)


@pytest.mark.parametrize(
    ("zone", "name"),
    [
        ({("www.acme.example", "CAA"): ISSUE, ("acme.example", "CAA"): ISSUE}, "www.acme.example"),
        ({("acme.example", "CAA"): ISSUE}, "acme.example"),
        ({("example", "CAA"): ISSUE}, "example"),
        ({("acme.example", "CAA"): FAILS, ("example", "CAA"): ISSUE}, ""),
    ],
)
def test_the_nearest_caa_counts(zone: Zone, name: str) -> None:
    found = relevant("www.acme.example", answers(zone))
    assert (found.name, bool(found.failed)) == ((name, False) if name else ("acme.example", True))
