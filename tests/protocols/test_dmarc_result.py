"""Whether a message passes DMARC, and where its reports may go (RFC 9989, 4.4 and 5.3; RFC 9990, 4)."""

import pytest

from judged_zone import FAILS, Zone, answers
from postroom.protocols.dmarc_reports import Target, authorised, takes_mail, targets
from postroom.protocols.dmarc_result import Authenticated, aligned, evaluate

ORG: Zone = {("_dmarc.acme.example", "TXT"): ("v=DMARC1; p=reject",)}
STRICT: Zone = {("_dmarc.acme.example", "TXT"): ("v=DMARC1; p=reject; aspf=s; adkim=s",)}
HALF: Zone = {("_dmarc.acme.example", "TXT"): ("v=DMARC1; p=reject; aspf=s",)}
SHARED: Zone = {("_dmarc.cloud.example", "TXT"): ("v=DMARC1; p=none; psd=y",)}


def spf(domain: str, result: str = "pass") -> Authenticated:
    return Authenticated("spf", domain, result)


def dkim(domain: str, result: str = "pass") -> Authenticated:
    return Authenticated("dkim", domain, result)


@pytest.mark.parametrize(
    ("author", "other", "strict", "zone", "expected"),
    [
        ("acme.example", "Acme.Example.", True, {}, True),
        ("acme.example", "news.acme.example", True, ORG, False),
        ("acme.example", "news.acme.example", False, ORG, True),
        ("news.acme.example", "bounces.acme.example", False, ORG, True),
        # No record anywhere: each name is its own organization, whatever a list of suffixes says.
        ("news.acme.example", "acme.example", False, {}, False),
        ("acme.example", "globex.example", False, ORG, False),
        ("acme.example", "acme.test", False, {}, False),
        # Beneath a public suffix that says so, neighbours are strangers; the list knows nothing of it.
        ("a.cloud.example", "b.cloud.example", False, SHARED, False),
        ("a.cloud.example", "x.a.cloud.example", False, SHARED, True),
        ("acme.example", "example", False, ORG, False),
        ("acme.example", "news.acme.example", False, ORG | {("_dmarc.example", "TXT"): FAILS}, None),
        ("acme.example", "acme.example", False, {("_dmarc.example", "TXT"): FAILS}, True),
        ("acme.example", "acme.test", False, {("_dmarc.example", "TXT"): FAILS}, False),
        ("acme.example", "news.acme.example", False, ORG | {("_dmarc.news.acme.example", "TXT"): FAILS}, None),
        ("news.acme.example", "acme.example", False, ORG | {("_dmarc.news.acme.example", "TXT"): FAILS}, None),
    ],
)
def test_alignment(author: str, other: str, strict: bool, zone: Zone, expected: bool | None) -> None:
    assert aligned(author, other, strict, answers(zone)) is expected


@pytest.mark.parametrize(
    ("results", "zone", "result", "disposition"),
    [
        ([spf("acme.example")], ORG, "pass", "none"),
        ([spf("bounces.acme.example")], ORG, "pass", "none"),
        ([spf("bounces.acme.example")], STRICT, "fail", "reject"),
        ([dkim("news.acme.example")], STRICT, "fail", "reject"),
        ([dkim("acme.example")], STRICT, "pass", "none"),
        ([spf("x.acme.example")], HALF, "fail", "reject"),
        ([dkim("x.acme.example")], HALF, "pass", "none"),
        ([spf("list.example"), dkim("list.example"), dkim("acme.example")], ORG, "pass", "none"),
        ([spf("list.example"), dkim("acme.example", "fail")], ORG, "fail", "reject"),
        ([], ORG, "fail", "reject"),
        ([spf("acme.example", "softfail")], ORG, "fail", "reject"),
        ([spf("acme.example", "temperror")], ORG, "temperror", "none"),
        ([spf("acme.example", "temperror"), dkim("acme.example")], ORG, "pass", "none"),
        ([spf("x.acme.example")], ORG | {("_dmarc.example", "TXT"): FAILS}, "temperror", "none"),
        ([spf("acme.example")], {}, "none", "none"),
        ([spf("acme.example")], {("_dmarc.acme.example", "TXT"): FAILS}, "temperror", "none"),
        ([], {("_dmarc.acme.example", "TXT"): ("v=DMARC1; p=reject; t=y",)}, "fail", "quarantine"),
        ([], {("_dmarc.acme.example", "TXT"): ("v=DMARC1; p=none",)}, "fail", "none"),
    ],
)
def test_a_message(results: list[Authenticated], zone: Zone, result: str, disposition: str) -> None:
    found = evaluate("Acme.Example", results, answers(zone))
    assert (found.result, found.disposition) == (result, disposition)
    assert bool(found.aligned) == (result == "pass") and bool(found.why) == (result == "temperror")


def test_report_addresses_are_taken_apart() -> None:
    text = (
        "v=DMARC1; rua=mailto:a@B.example!10m, https://c.example/r,mailto:d@e.example?subject=x; ruf=mailto:f@g.example"
    )
    assert targets(text) == (
        Target("rua", "a@B.example", "b.example"),
        Target("rua", "d@e.example?subject=x", "e.example"),
        Target("ruf", "f@g.example", "g.example"),
    )


PERMIT = ("acme.example._report._dmarc.reports.example", "TXT")


@pytest.mark.parametrize(
    ("host", "zone", "expected"),
    [
        ("acme.example", {}, True),
        ("mail.acme.example", ORG, True),
        ("mail.acme.example", {}, False),
        ("reports.example", ORG, False),
        ("reports.example", {PERMIT: ("v=DMARC1",)}, True),
        ("reports.example", {PERMIT: ("v=DMARC1; rua=mailto:x@reports.example", "other")}, True),
        ("reports.example", {PERMIT: ("v=spf1 -all",)}, False),
        ("reports.example", ORG | {PERMIT: FAILS}, None),
        ("mail.acme.example", ORG | {("acme.example._report._dmarc.mail.acme.example", "TXT"): FAILS}, True),
        ("reports.example", {("_dmarc.reports.example", "TXT"): FAILS}, None),
    ],
)
def test_who_takes_reports(host: str, zone: Zone, expected: bool | None) -> None:
    assert authorised("acme.example", host, answers(zone)) is expected


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ({("h.example", "MX"): ((10, "mx.example"),)}, True),
        ({("h.example", "MX"): ((0, ""),)}, False),
        ({("h.example", "A"): ("45.0.0.1",)}, True),
        ({("h.example", "TXT"): ("x",)}, False),
        ({}, False),
        ({("h.example", "MX"): FAILS}, None),
        ({("h.example", "TXT"): ("x",), ("h.example", "A"): FAILS}, None),
    ],
)
def test_whether_mail_arrives(zone: Zone, expected: bool | None) -> None:
    assert takes_mail("h.example", answers(zone)) is expected
