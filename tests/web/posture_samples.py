"""Sample pages of DNS posture: many domains, and one. Invented, and not consistent between pages."""

from __future__ import annotations

from page_samples import filters

from postroom.web.parts.forms import Pager
from postroom.web.parts.posture_pages import PosturePage, PosturesPage
from postroom.web.parts.shapes import (
    Act,
    Badge,
    Cell,
    Code,
    Column,
    Crumb,
    Fact,
    Item,
    Link,
    PageHead,
    Row,
    Strong,
    Table,
)

GOOD, BAD, WARN = Badge("good", "good"), Badge("bad", "bad"), Badge("warn", "to mend")
UNKNOWN, NOTED = Badge("unknown", "not known"), Badge("fact", "noted", "info-circle")
AREAS = ("MX", "SPF", "DKIM", "DMARC", "TLS", "Names", "Other")
RESULTS = (Column("What is"), Column("It rests on"), Column("To be published"))


def _domain(name: str, client: str, *levels: Badge, why: str = "") -> Row:
    of = (Link(client, "/p/client", of=name), *((f"· {why}",) if why else ()))
    return Row((Cell(Link(name, "/p/posture", strong=True), of), *levels), name=name)


POSTURES = PosturesPage(
    head=PageHead("DNS posture", "every domain by the rules mail is judged by, as it was looked at last",
                  acts=(Act("Domains", "/p/domains", "world"),)),
    label="Domains", filters=filters("Domains", "bad"), pager=Pager("3 shown, bluefin.example to kestrel.example"),
    table=Table("DNS posture", (Column("Domain"), *map(Column, AREAS)), (
        _domain("bluefindental.example", "Bluefin Dental Group", GOOD, GOOD, GOOD, WARN, WARN, GOOD, NOTED),
        _domain("harborlegal.example", "Harbor Legal LLP", BAD, BAD, GOOD, BAD, WARN, BAD, NOTED),
        _domain("kestreloutdoor.example", "Kestrel Outdoor", *[UNKNOWN] * 7, why="it was not looked at yet"),
    ), dense=True),
)  # fmt: skip
POSTURE = PosturePage(
    head=PageHead("DNS posture of harborlegal.example", "2 bad, 1 not known", badges=(BAD,),
                  crumbs=(Crumb("DNS posture", "/p/postures"), Crumb("harborlegal.example", "/p/domain"))),
    mend=Table("To be mended", RESULTS, (
        Row((Cell((BAD, Strong("harborlegal.example has two SPF records: receivers use neither.")),
                  (Code("spf.several"), "·", "RFC 7208, 3.2")),
             Cell((Code("v=spf1 mx -all"), Code("v=spf1 include:_spf.news.example ~all")), "harborlegal.example"),
             Code('harborlegal.example. 3600 IN TXT "v=spf1 mx include:_spf.news.example -all"'))),
        Row((Cell((UNKNOWN, Strong("The key at s1._domainkey.harborlegal.example is not known: SERVFAIL.")),
                  (Code("dkim.unknown"), "·", "RFC 6376, 6.1.2")), Cell("", "s1._domainkey.harborlegal.example"), "")),
    ), high=True),
    rest=Table("What is as it should be", RESULTS, (
        Row((Cell((GOOD, Strong("Mail for harborlegal.example goes to mx.postroom.example.")),
                  (Code("mx.good"), "·", "RFC 5321, 5.1")),
             Cell(Code("10 mx.postroom.example."), "harborlegal.example"), "")),
    ), high=True),
    score=(Fact("Points", "80 of 100", "at most: what is not known may cost more"),),
    lost=(Item("−20", Code("spf.several"), "bad"),),
    facts=(Fact("Client", Link("Harbor Legal LLP", "/p/client")), Fact("Looked at", "09:12"),
           Fact("It stands so since", "24 Nov 09:12")),
)  # fmt: skip
