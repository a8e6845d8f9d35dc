"""DNS posture: domains beside each other by area; one with every result, what it rests on and what would mend it."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from postroom.protocols.posture import COSTS, WORST, Score
from postroom.protocols.txt import txt_quoted
from postroom.queries.postures import VIEW, Asked, Standing, Whole, listed, whole, worst_first
from postroom.web.badges import spelt
from postroom.web.door import page
from postroom.web.framed import freeze_notes
from postroom.web.lists import Narrow, clean, scopes
from postroom.web.parts.forms import Option
from postroom.web.parts.posture_pages import PosturePage, PosturesPage
from postroom.web.parts.shapes import (
    Act,
    Badge,
    Cell,
    Code,
    Column,
    Crumb,
    Fact,
    Inline,
    Item,
    Link,
    PageHead,
    Row,
    Strong,
    Table,
    Words,
)
from postroom.web.times import when

GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("MX", ("mx", "ptr")), ("SPF", ("spf",)), ("DKIM", ("dkim",)), ("DMARC", ("dmarc",)),
    ("TLS", ("mta_sts", "tls_rpt", "dane")), ("Names", ("ns", "cname", "dnssec")), ("Other", ("caa", "bimi", "parked")),
)  # fmt: skip
LEVELS: Mapping[str, Badge] = {
    "bad": Badge("bad", "bad"), "warn": Badge("warn", "to mend"), "unknown": Badge("unknown", "not known"),
    "info": Badge("fact", "noted", "info-circle"), "good": Badge("good", "good"),
}  # fmt: skip
STATES = (
    Option("", "All"), Option("bad", "Bad"), Option("warn", "To mend"), Option("unknown", "Not known"),
    Option("good", "Nothing to mend"),
)  # fmt: skip
TO_MEND = ("bad", "unknown", "warn")
COLUMNS = (Column("Domain"), *(Column(name) for name, _ in GROUPS))
RESULTS = (Column("What is"), Column("It rests on"), Column("To be published"))
LONGEST, SHOWN = 160, 6  # characters of one value, values of one result


@page(VIEW)
def postures(request: Any) -> HttpResponse:
    narrow = Narrow(request)
    state = narrow["state"] if narrow["state"] in {one.value for one in STATES} else ""
    search = "" if narrow.too_short else clean(narrow.typed)
    found = listed(request.actor, Asked(narrow["client"], state, "", search, narrow.after))
    fields = [narrow.select("client", "Client", scopes(request)), narrow.select("state", "State", STATES)]
    names = [one.domain.name for one in found.items]
    shown = PosturesPage(
        head=PageHead("DNS posture", "every domain by the rules mail is judged by, as it was looked at last",
                      acts=(Act("Domains", "/domains/", "world"),)),
        notes=(*narrow.notes(), *freeze_notes(request)), label="Domains",
        filters=narrow.filters("Domains", fields),
        table=Table("DNS posture", COLUMNS, tuple(map(_row, found.items)), dense=True),
        pager=narrow.pager(names, found.next),
        empty=None if found.items else narrow.nothing("domain", "Mail starts with a domain.", "world"),
    )  # fmt: skip
    return render(request, "list.html", {"page": shown})


def _row(one: Standing) -> Row:
    name, client = one.domain.name, one.domain.client
    of = (Link(client.name, f"/clients/{client.slug}/"), *((f"· {one.unknown}",) if one.unknown else ()))
    cells = (_group(one, areas) for _, areas in GROUPS)
    return Row((Cell((Link(name, f"/domains/{name}/posture/", strong=True), *spelt(name)), of), *cells), name=name)


def _group(one: Standing, areas: tuple[str, ...]) -> Words:
    """The worst of some areas; what was not judged, as DANE without MX, is no state."""
    if one.unknown:
        return LEVELS["unknown"]
    levels = [one.levels[area] for area in areas if area in one.levels]
    return LEVELS[min(levels, key=WORST.index)] if levels else ""


@page(VIEW)
def posture(request: Any, ref: str) -> HttpResponse:
    found = whole(request.actor, ref)
    one, domain = found.standing, found.standing.domain
    ordered = worst_first(found.results)
    shown = PosturePage(
        head=PageHead(
            f"DNS posture of {domain.name}", _summary(found), badges=(LEVELS[one.level],),
            crumbs=(Crumb("DNS posture", "/posture/"), Crumb(domain.name, f"/domains/{domain.name}/")),
        ),
        notes=freeze_notes(request, domain.client_id),
        unknown=Badge("unknown", f"not known: {one.unknown}") if one.unknown else None,
        mend=_table("To be mended", [each for each in ordered if each["level"] in TO_MEND]),
        rest=_table("What is as it should be", [each for each in ordered if each["level"] not in TO_MEND]),
        score=_score(found.score), lost=_lost(found.score), facts=_facts(one),
    )  # fmt: skip
    return render(request, "posture.html", {"page": shown})


def _summary(found: Whole) -> str:
    counts = {level: sum(1 for each in found.results if each["level"] == level) for level in TO_MEND}
    words = {"bad": "bad", "unknown": "not known", "warn": "to mend"}
    said = [f"{many} {words[level]}" for level, many in counts.items() if many]
    return ", ".join(said) or ("nothing is known" if found.standing.unknown else "nothing to mend")


def _table(label: str, results: list[dict[str, Any]]) -> Table | None:
    return Table(label, RESULTS, tuple(map(_result, results)), high=True) if results else None


def _result(one: dict[str, Any]) -> Row:
    evidence = one["evidence"]
    parsed = ", ".join(f"{name} {value}" for name, value in evidence["parsed"].items() if value)
    chain = f"by way of {', '.join(evidence['chain'])}" if evidence["chain"] else ""
    says = Cell((LEVELS[one["level"]], Strong(one["says"])), (Code(one["rule"]), "·", one["source"]))
    rests = Cell(_values(evidence["raw"]), _joined(evidence["name"], parsed, chain))
    return Row((says, rests, _publish(one["publish"])), name=one["rule"])


def _joined(*parts: str) -> str:
    return " · ".join(filter(None, parts))


def _values(values: list[str]) -> tuple[Inline, ...]:
    shown: tuple[Inline, ...] = tuple(
        Code(one if len(one) <= LONGEST else one[:LONGEST] + "…") for one in values[:SHOWN]
    )
    return (*shown, f"and {len(values) - SHOWN} more") if len(values) > SHOWN else shown


def _publish(record: dict[str, Any] | None) -> Words:
    """A line a record, as zone files have them."""
    if record is None:
        return ""
    quoted = txt_quoted if record["type"] == "TXT" else str
    said = f"{record['name']} {record['ttl']} IN {record['type']}"
    return tuple(Code(f"{said} {quoted(value)}") for value in record["values"])


def _score(score: Score | None) -> tuple[Fact, ...]:
    if score is None:
        return ()
    most = "at most: what is not known may cost more" if score.at_most else "everything was judged"
    return (Fact("Points", f"{score.points} of 100", most),)


def _lost(score: Score | None) -> tuple[Item, ...]:
    lost = score.lost if score else ()
    return tuple(
        Item(f"−{one.points}", Code(one.rule), "bad" if one.points >= COSTS["bad"] else "warn") for one in lost
    )


def _facts(one: Standing) -> tuple[Fact, ...]:
    unknown = Badge("unmeasured", "not measured yet")
    client = one.domain.client
    return (
        Fact("Client", Link(client.name, f"/clients/{client.slug}/")),
        Fact("Looked at", when(one.at) if one.at else unknown, "each quarter of an hour, by a resolver of our own"),
        Fact("It stands so since", when(one.since) if one.since else unknown),
    )
