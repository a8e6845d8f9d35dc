"""Where rules begin and end: what one noun's judge says of a zone that is nearly right, or wrong in an odd way."""

from dataclasses import replace

import pytest

from judged_defects import BIMI, DMARC, ED, KEY, KNOWN, OTHER, PARK, RUA, STS, TLS, rsa_of
from judged_zone import (
    ACME,
    CLEAN,
    FAILS,
    MX1,
    MX2,
    NS1,
    NS2,
    PARKED,
    POLICY,
    PUBLIC,
    Zone,
    answers,
    certificate,
    dane,
    pinned,
)
from postroom.protocols.answers import Held
from postroom.protocols.dkim import key_record
from postroom.protocols.judged import record
from postroom.protocols.judges.dkim import Selector
from postroom.protocols.judges.domain import Known, judge
from postroom.protocols.judges.mta_sts import Fetched

AUTO = f"autoconfig.{ACME}"
HOST = "host.northlight.example"
ALIAS: Zone = {(AUTO, "CNAME"): (HOST,)}
SIX = ("2a00::53",)
CERTIFIED = replace(KNOWN, certificates={mx: (certificate(),) for mx in (MX1, MX2)})
NO_FILE = replace(KNOWN, policy=None)
LOGO = "https://acme.example/logo.svg"


def selectors(*keys: str) -> Known:
    """Selectors s1, s2 …; what we sign with under each, or nothing."""
    return replace(KNOWN, selectors=tuple(Selector(f"s{place}", key) for place, key in enumerate(keys, 1)))


def served(body: bytes = POLICY, **fetched: object) -> Known:
    return replace(KNOWN, policy=Fetched(body=body)._replace(**fetched))  # type: ignore[arg-type]


def said(text: str) -> Zone:
    return {(DMARC, "TXT"): (text,)}


def above(text: str) -> Zone:
    """No record of its own; this one above."""
    return {(DMARC, "TXT"): None, ("_dmarc.example", "TXT"): (text,)}


def logo() -> Zone:
    return {(BIMI, "TXT"): (f"v=BIMI1; l={LOGO}",)}


EVIDENCE = "bimi.no_evidence"
EDGES: list[tuple[str, Zone, Known, set[str]]] = [
    ("caa", {(ACME, "CAA"): ((128, "tbs", "x"), (0, "issue", "ca.example"))}, KNOWN, {"caa.critical", "caa.good"}),
    ("caa", {(ACME, "CAA"): ((0, "issuewild", "other.example"),)}, KNOWN, {"caa.good"}),
    ("caa", {(ACME, "CAA"): ((0, "issue", ";"), (0, "issue", "ca.example"))}, KNOWN, {"caa.good"}),
    ("caa", {(ACME, "CAA"): ((128, "ISSUE", "ca.example"),)}, KNOWN, {"caa.good"}),
    ("cname", {(AUTO, "A"): FAILS}, KNOWN, {"cname.unknown"}),
    ("cname", {(DMARC, "TXT"): None, (DMARC, "CNAME"): (HOST,)}, KNOWN, {"cname.good"}),
    ("cname", {(DMARC, "CNAME"): FAILS}, KNOWN, {"cname.unknown"}),
    ("cname", ALIAS | {(HOST, "A"): ("45.0.0.1",)}, KNOWN, {"cname.good"}),
    ("cname", ALIAS | {(HOST, "AAAA"): SIX}, KNOWN, {"cname.good"}),
    ("cname", ALIAS | {(HOST, "A"): ("45.0.0.1",), (HOST, "AAAA"): FAILS}, KNOWN, {"cname.good"}),
    ("cname", ALIAS | {(HOST, "A"): FAILS}, KNOWN, {"cname.unknown"}),
    ("cname", ALIAS | {(HOST, "TXT"): ("x",), (HOST, "AAAA"): FAILS}, KNOWN, {"cname.unknown"}),
    ("cname", {(AUTO, "A"): Held(chain=("a.example", "b.example", "a.example"))}, KNOWN, {"cname.loop"}),
    ("cname", {(ACME, "CNAME"): ("a.example", "b.example")}, KNOWN, {"cname.several"}),
    ("ns", {(NS1, "A"): None, (NS1, "AAAA"): SIX}, KNOWN, {"ns.good"}),
    ("ns", {(NS1, "A"): FAILS, (NS1, "AAAA"): SIX}, KNOWN, {"ns.good"}),
    ("ns", {(NS1, "A"): None, (NS1, "AAAA"): FAILS}, KNOWN, {"ns.unknown"}),
    ("ns", {(NS1, "A"): FAILS, (NS1, "AAAA"): SIX, (NS2, "A"): None, (NS2, "AAAA"): SIX}, KNOWN, {"ns.good"}),
    ("ns", {(NS1, "A"): None, (NS1, "AAAA"): SIX, (NS2, "A"): None, (NS2, "AAAA"): SIX}, KNOWN, {"ns.same_address"}),
    ("ns", {(NS1, "A"): Held(("45.0.0.1",), chain=(HOST,))}, KNOWN, {"ns.cname"}),
    ("ns", {(NS1, "AAAA"): Held(SIX, chain=(HOST,))}, KNOWN, {"ns.cname"}),
    ("ns", {(NS1, "A"): None, (NS1, "CNAME"): (HOST,), (HOST, "A"): FAILS}, KNOWN, {"ns.cname"}),
    ("ns", {(NS1, "AAAA"): ("fd00::1",)}, KNOWN, {"ns.private"}),
    ("mx", {(MX1, "A"): None}, KNOWN, {"mx.good"}),
    ("mx", {(MX1, "A"): FAILS}, KNOWN, {"mx.good"}),
    ("mx", {(MX1, "A"): None, (MX1, "AAAA"): FAILS}, KNOWN, {"mx.unknown"}),
    ("mx", {(MX1, "AAAA"): ("::1",)}, KNOWN, {"mx.private"}),
    ("mx", {(MX1, "A"): ("45.0.0.25", "127.0.0.1")}, KNOWN, {"mx.private"}),
    ("mx", {(MX1, "A"): ("ff0e::1",)}, KNOWN, {"mx.private"}),
    ("mx", {(MX1, "A"): None, (MX1, "AAAA"): None, (MX1, "CNAME"): (HOST,)}, KNOWN, {"mx.cname"}),
    ("mx", {(MX1, "AAAA"): Held(SIX, chain=(HOST,))}, KNOWN, {"mx.cname"}),
    ("mx", {(MX1, "A"): ("45.0.1.25",), (MX1, "AAAA"): FAILS}, KNOWN, {"mx.good"}),
    ("mx", {(MX1, "A"): None, (MX1, "AAAA"): None, (MX2, "A"): None, (MX2, "AAAA"): None}, KNOWN, {"mx.nowhere"}),
    ("mx", {(ACME, "MX"): ((10, "2a00::25"),)}, KNOWN, {"mx.literal"}),
    ("mx", {(ACME, "MX"): ((10, "localhost"),)}, KNOWN, {"mx.bad_name"}),
    ("mx", {(ACME, "MX"): ((0, ""), (10, ""))}, KNOWN, {"mx.null_preference"}),
    ("mx", {(ACME, "MX"): ((10, MX1),)}, KNOWN, {"mx.good"}),
    ("mx", {(ACME, "MX"): None, (ACME, "A"): FAILS}, KNOWN, {"mx.unknown"}),
    ("mx", {(ACME, "MX"): None, (ACME, "A"): FAILS, (ACME, "AAAA"): SIX}, KNOWN, {"mx.implicit"}),
    ("dkim", {}, selectors(PUBLIC, OTHER), {"dkim.good", "dkim.missing"}),
    ("dkim", {(KEY, "TXT"): (key_record(PUBLIC) + "!",)}, selectors(""), {"dkim.bad_key"}),
    ("dkim", {(KEY, "TXT"): (key_record(rsa_of(1024)),)}, selectors(""), {"dkim.short"}),
    ("dkim", {(KEY, "TXT"): (key_record(rsa_of(4096)),)}, selectors(""), {"dkim.good"}),
    (
        "dkim",
        {(KEY, "TXT"): (key_record(ED, "ed25519"),)},
        selectors(ED.rstrip("=")),
        {"dkim.good", "dkim.ed25519_alone"},
    ),
    (
        "dkim",
        {(KEY, "TXT"): (key_record(ED, "ed25519"),), (f"s2._domainkey.{ACME}", "TXT"): FAILS},
        selectors("", ""),
        {"dkim.good", "dkim.unknown"},
    ),
    (
        "dkim",
        {(KEY, "TXT"): (key_record(ED, "ed25519"),), (f"s2._domainkey.{ACME}", "TXT"): ("v=DKIM1; p=",)},
        selectors("", ""),
        {"dkim.good", "dkim.revoked", "dkim.ed25519_alone"},
    ),
    (
        "dkim",
        {(KEY, "TXT"): (key_record(ED, "ed25519"),), (f"s2._domainkey.{ACME}", "TXT"): (key_record(PUBLIC),)},
        selectors("", ""),
        {"dkim.good"},
    ),
    ("dkim", {(KEY, "TXT"): ("v=DKIM1; p=",)}, selectors(""), {"dkim.revoked"}),
    ("dmarc", said(f"v=DMARC1; p=quarantine; sp=reject; {RUA}"), KNOWN, {"dmarc.quarantine"}),
    (
        "dmarc",
        said(f"v=DMARC1; p=none; sp=reject; np=none; {RUA}"),
        KNOWN,
        {"dmarc.p_none", "dmarc.np_weaker"},
    ),
    ("dmarc", said(f"v=DMARC1; p=none; t=y; {RUA}"), KNOWN, {"dmarc.p_none"}),
    ("dmarc", said(f"v=DMARC1; p=reject; psd=n; {RUA}"), KNOWN, {"dmarc.reject"}),
    (
        "dmarc",
        said(f"v=DMARC1; p=reject; {RUA}; ruf=mailto:a@other.example"),
        KNOWN,
        {"dmarc.reject", "dmarc.report_dead"},
    ),
    (
        "dmarc",
        said("v=DMARC1; p=reject; ruf=mailto:dmarc@northlight.example"),
        KNOWN,
        {"dmarc.reject", "dmarc.no_rua"},
    ),
    ("dmarc", {("northlight.example", "MX"): FAILS}, KNOWN, {"dmarc.reject", "dmarc.report_unknown"}),
    ("dmarc", said("v=spf1 -all"), KNOWN, {"dmarc.none", "dmarc.stray"}),
    ("dmarc", {(DMARC, "TXT"): None, ("_dmarc.example", "TXT"): FAILS}, KNOWN, {"dmarc.unknown"}),
    ("dmarc", {(DMARC, "TXT"): None, (DMARC, "CNAME"): (HOST,)}, KNOWN, {"dmarc.none"}),
    (
        "dmarc",
        above("v=DMARC1; p=reject; t=y; psd=y"),
        KNOWN,
        {"dmarc.inherited", "dmarc.testing"},
    ),
    ("mta_sts", {(STS, "TXT"): None, (ACME, "MX"): ((0, ""),)}, NO_FILE, set()),
    ("mta_sts", {(STS, "TXT"): None}, served(status=404), {"mta_sts.none"}),
    ("mta_sts", {(STS, "TXT"): None}, served(b""), {"mta_sts.none"}),
    ("mta_sts", {(STS, "TXT"): None}, served(failed="no answer"), {"mta_sts.none"}),
    ("mta_sts", {(STS, "TXT"): ("v=STSv1; id=1;", "google-site=x")}, KNOWN, {"mta_sts.good"}),
    ("mta_sts", {(f"mta-sts.{ACME}", "A"): None, (f"mta-sts.{ACME}", "AAAA"): SIX}, KNOWN, {"mta_sts.good"}),
    ("mta_sts", {(f"mta-sts.{ACME}", "A"): FAILS}, KNOWN, {"mta_sts.unknown"}),
    ("mta_sts", {}, served(POLICY + b"x" * (65536 - len(POLICY) - 2) + b"\r\n"), {"mta_sts.bad_policy"}),
    ("mta_sts", {(ACME, "MX"): FAILS}, KNOWN, {"mta_sts.unknown"}),
    ("mta_sts", {}, NO_FILE, {"mta_sts.unread"}),
    ("mta_sts", {}, served(media_type="Text/Plain; charset=utf-8"), {"mta_sts.good"}),
    ("mta_sts", {}, served(POLICY.replace(b"604800", b"86400")), {"mta_sts.good"}),
    ("mta_sts", {}, served(POLICY.replace(b"604800", b"86399")), {"mta_sts.good", "mta_sts.short_age"}),
    (
        "mta_sts",
        {(ACME, "MX"): ((10, "mx.a.northlight.example"),)},
        KNOWN,
        {"mta_sts.mx_uncovered", "mta_sts.mx_unused"},
    ),
    ("tls_rpt", {(TLS, "TXT"): None, (ACME, "MX"): ((0, ""),)}, KNOWN, set()),
    ("tls_rpt", {(TLS, "TXT"): None, (ACME, "MX"): FAILS}, KNOWN, {"tls_rpt.unknown"}),
    ("tls_rpt", {(ACME, "MX"): FAILS}, KNOWN, {"tls_rpt.good"}),
    ("tls_rpt", {(TLS, "TXT"): ("v=TLSRPTv1; rua=https://a.example/, mailto:b@c.example",)}, KNOWN, {"tls_rpt.good"}),
    ("tls_rpt", {(TLS, "TXT"): ("v=TLSRPTv1; rua=mailto:b",)}, KNOWN, {"tls_rpt.bad_uri"}),
    ("tls_rpt", {(TLS, "TXT"): ("v=TLSRPTv12; rua=mailto:b@c.example",)}, KNOWN, {"tls_rpt.broken"}),
    ("tls_rpt", {(TLS, "TXT"): ("v=TLSRPTv1; junk; rua=mailto:b@c.example",)}, KNOWN, {"tls_rpt.broken"}),
    ("dane", {(ACME, "MX"): ((0, ""),)}, KNOWN, set()),
    ("dane", {(ACME, "MX"): FAILS}, KNOWN, {"dane.unknown"}),
    ("dane", dane(pinned()) | {(f"_25._tcp.{MX2}", "TLSA"): FAILS}, CERTIFIED, {"dane.unknown", "dane.good"}),
    ("dane", dane((3, 1, 1, "ab" * 32), pinned()), CERTIFIED, {"dane.good"}),
    ("dane", dane(pinned(2)), CERTIFIED, {"dane.good"}),
    ("dane", dane(pinned()), replace(KNOWN, certificates={MX1: (b"none",)}), {"dane.unknown", "dane.unchecked"}),
    ("bimi", {(BIMI, "TXT"): ("v=BIMI1; l=; a=https://acme.example/v.pem",)}, KNOWN, {"bimi.good"}),
    ("bimi", {(BIMI, "TXT"): (f"v=BIMI1; l={LOGO}; a=http://acme.example/v.pem",)}, KNOWN, {"bimi.not_https"}),
    ("bimi", {(BIMI, "TXT"): (f"v=BIMI1; l={LOGO}?a.png",)}, KNOWN, {"bimi.good", EVIDENCE}),
    (
        "bimi",
        logo() | {("_dmarc.example", "TXT"): FAILS},
        KNOWN,
        {"bimi.good", EVIDENCE},
    ),
    (
        "bimi",
        logo() | {(DMARC, "TXT"): FAILS},
        KNOWN,
        {"bimi.unknown", EVIDENCE},
    ),
    (
        "bimi",
        logo() | {(DMARC, "TXT"): None},
        KNOWN,
        {"bimi.dmarc_weak", EVIDENCE},
    ),
    ("bimi", {(BIMI, "TXT"): ("v=BIMI1; l",)}, KNOWN, {"bimi.broken"}),
    ("parked", PARKED | {(ACME, "MX"): ((10, ""),)}, PARK, {"parked.takes_mail"}),
    ("parked", PARKED | {(ACME, "MX"): ((0, ""), (10, MX1))}, PARK, {"parked.takes_mail"}),
    ("parked", PARKED | {(ACME, "TXT"): ("V=SPF1  -ALL", "other")}, PARK, {"parked.good"}),
    ("parked", PARKED | {(ACME, "TXT"): ("v=spf1 -all", "v=spf1 -all ")}, PARK, {"parked.spf_open"}),
    ("parked", PARKED | said("v=DMARC1; p=reject; sp=none"), PARK, {"parked.dmarc_open"}),
    ("parked", PARKED | said("v=DMARC1; p=reject; np=none"), PARK, {"parked.dmarc_open"}),
    ("parked", PARKED | said("v=DMARC1; p=reject; t=y"), PARK, {"parked.dmarc_open"}),
    ("parked", PARKED | {(DMARC, "TXT"): None}, PARK, {"parked.dmarc_open"}),
    (
        "parked",
        PARKED | above("v=DMARC1; p=reject"),
        PARK,
        {"parked.good"},
    ),
    ("parked", PARKED | {(DMARC, "TXT"): FAILS}, PARK, {"parked.unknown"}),
    ("parked", PARKED | {(f"*._domainkey.{ACME}", "TXT"): (key_record(PUBLIC),)}, PARK, {"parked.dkim_open"}),
    ("parked", PARKED | {(f"*._domainkey.{ACME}", "TXT"): ("junk",)}, PARK, {"parked.dkim_open"}),
]


@pytest.mark.parametrize(("noun", "zone", "known", "expected"), EDGES)
def test_at_the_edge(noun: str, zone: Zone, known: Known, expected: set[str]) -> None:
    base: Zone = {} if known.parked else CLEAN
    results = judge(ACME, answers(base, zone), known)
    assert {one.rule for one in results if one.rule.startswith(f"{noun}.")} == expected


def test_a_record_in_the_wrong_place_is_offered_where_none_stands() -> None:
    lost: Zone = {(ACME, "TXT"): ("v=spf1 -all", "v=DMARC1; p=reject")}
    offers = []
    for own in (None, FAILS, CLEAN[DMARC, "TXT"]):
        results = judge(ACME, answers(CLEAN, lost, {(DMARC, "TXT"): own}), KNOWN)
        offers.append(next(one.publish for one in results if one.rule == "dmarc.misplaced"))
    assert offers == [record(DMARC, "TXT", "v=DMARC1; p=reject"), None, None]


def test_sentences_name_what_they_are_about() -> None:
    zone: Zone = {(ACME, "CAA"): ((0, "issue", ";"), (0, "issue", "ca.example"))}
    says = {
        one.rule: one.says for one in judge(ACME, answers(CLEAN, zone, {(MX1, "A"): FAILS, (MX1, "AAAA"): None}), KNOWN)
    }
    assert says["caa.good"] == "Certificates for acme.example are issued by ca.example only."
    assert says["mx.unknown"] == "Whether the MX mx1.northlight.example has an address is not known: no answer."
