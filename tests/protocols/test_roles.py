"""What a record set does for mail, and what a change would lose."""

import pytest

from postroom.protocols.roles import losses, role_of
from postroom.protocols.rrset import RRset, rrset

KEY = "v=DKIM1; k=rsa; p=AAAA"


def a(name: str, type: str, *values: str) -> RRset:
    return rrset(name, type, 300, values)


@pytest.mark.parametrize(
    "name, type, values, roles",
    [
        ("acme.example.", "MX", ["10 mx.example."], {"mx"}),
        ("acme.example.", "TXT", ["x", "v=spf1 -all"], {"spf"}),
        ("acme.example.", "TXT", ['"v=spf1 " "-all"'], {"spf"}),
        ("acme.example.", "TXT", ["x"], set()),
        ("s1._domainkey.acme.example.", "TXT", [KEY], {"dkim"}),
        ("s1._DomainKey.acme.example.", "CNAME", ["s1.x.example."], {"dkim"}),
        ("_dmarc.acme.example.", "TXT", ["v=DMARC1; p=none"], {"dmarc"}),
        ("_dmarc.acme.example.", "CNAME", ["d.x.example."], {"dmarc"}),
        ("acme.example.", "NS", ["ns1.example."], {"ns"}),
        ("www.acme.example.", "A", ["192.0.2.1"], set()),
    ],
)
def test_roles(name: str, type: str, values: list[str], roles: set[str]) -> None:
    assert role_of(name, type, values) == roles


APEX, DMARC, DKIM = "acme.example", "_dmarc.acme.example", "s1._domainkey.acme.example"


@pytest.mark.parametrize(
    "before, after, lost",
    [
        (None, a(APEX, "MX", "10 mx.acme.example"), []),
        (a(APEX, "MX", "10 a.example."), a(APEX, "MX", "10 b.example."), []),
        (a(APEX, "MX", "10 a.example."), a(APEX, "MX", "0 ."), ["loses its MX"]),
        (a(APEX, "MX", "10 a.example."), None, ["loses its MX"]),
        (a(APEX, "MX", "0 ."), None, []),
        (a(APEX, "TXT", "v=spf1 -all", "x"), a(APEX, "TXT", "v=spf1 mx -all"), []),
        (a(APEX, "TXT", "v=spf1 -all", "x"), a(APEX, "TXT", "x"), ["the SPF record goes"]),
        (a(APEX, "TXT", "v=spf1 -all"), a(APEX, "TXT", "v=spf1 -all", "v=spf1 mx -all"), ["two SPF records"]),
        (a(APEX, "TXT", "v=spf1 -all"), a(APEX, "TXT", "v=spf1 +all"), ["everybody"]),
        (a(APEX, "TXT", "x"), None, []),
        (a(DKIM, "TXT", KEY), None, ["a DKIM key in use goes"]),
        (a(DKIM, "TXT", KEY), a(DKIM, "TXT", "v=DKIM1; k=rsa; p="), ["a DKIM key in use goes"]),
        (a(DKIM, "TXT", "v=DKIM1; k=rsa; p="), None, []),
        (a(DKIM, "CNAME", "s1.a.example."), a(DKIM, "CNAME", "s1.b.example."), ["delegated DKIM"]),
        (a(APEX, "NS", "ns1.a.example."), a(APEX, "NS", "ns1.b.example."), ["NS changes"]),
        (a(APEX, "NS", "ns1.a.example."), RRset(APEX + ".", "NS", 60, ("ns1.a.example.",)), []),
        (a(DMARC, "TXT", "v=DMARC1; p=none"), a(DMARC, "TXT", "v=DMARC1; p=reject"), []),
        (a(DMARC, "TXT", "v=DMARC1; p=none"), a(DMARC, "TXT", "v=DMARC1; p=reject; sp=none"), []),
        (
            a(DMARC, "TXT", "v=DMARC1; p=reject"),
            a(DMARC, "TXT", "v=DMARC1; p=none"),
            ["DMARC weakens from reject to none"],
        ),
        (
            a(DMARC, "TXT", "v=DMARC1; p=reject"),
            a(DMARC, "TXT", "v=DMARC1; p=reject; t=y"),
            ["from reject to reject (testing)"],
        ),
        (a(DMARC, "TXT", "v=DMARC1; p=reject"), a(DMARC, "TXT", "v=DMARC1; p=reject; np=none"), ["do not exist"]),
        (a(DMARC, "TXT", "v=DMARC1; p=none; adkim=s"), a(DMARC, "TXT", "v=DMARC1; p=none"), ["alignment"]),
        (a(DMARC, "TXT", "v=DMARC1; p=reject"), None, ["the DMARC record goes (policy reject)"]),
        (a(DMARC, "CNAME", "d.a.example."), None, ["delegated DMARC"]),
    ],
)
def test_losses_in_plain_words(before: RRset | None, after: RRset | None, lost: list[str]) -> None:
    found = losses(before, after)
    assert len(found) == len(lost), found
    assert all(part in words for part, words in zip(lost, found, strict=True))
