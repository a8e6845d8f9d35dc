"""Findings: what is wrong as it was last read, worst first; one of them with what was seen and what can be done."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render

from postroom.models import Acceptance, Finding
from postroom.models.findings import SEVERITIES
from postroom.posture.run import CHECKS
from postroom.queries import findings as queries
from postroom.queries.findings import PLACE, Asked, Looked, Whole, looked, state_of
from postroom.web.badges import severity
from postroom.web.doing import doable
from postroom.web.door import page
from postroom.web.framed import freeze_notes, offered
from postroom.web.lists import Narrow, is_id, scopes
from postroom.web.parts.forms import Option
from postroom.web.parts.pages import FindingPage, FindingsPage
from postroom.web.parts.plain import differing, field_words, shown
from postroom.web.parts.shapes import (
    Act,
    Badge,
    Cell,
    Code,
    Column,
    Crumb,
    Empty,
    Fact,
    FieldDiff,
    Item,
    Link,
    Note,
    PageHead,
    Row,
    Table,
    Words,
)
from postroom.web.times import when
from postroom.web.titles import called, does, icon_of

COLUMNS = (
    Column("Finding"), Column("Severity", phone="right"), Column("Client", phone="under"), Column("State"),
    Column("Since"), Column("Last read", phone="gone"),
)  # fmt: skip
STATES = (
    Option("", "Open, not accepted"), Option("open", "Nobody is at it"), Option("acknowledged", "Acknowledged"),
    Option("unknown", "Unknown"), Option("accepted", "Accepted"), Option("closed", "Gone"), Option("any", "All"),
)  # fmt: skip
WITH_PAGES = frozenset({"clients", "domains", "mailboxes", "people"})


@page("findings.view")
def findings(request: Any) -> HttpResponse:
    narrow = Narrow(request)
    found = queries.listed(request.actor, _asked(narrow))
    known = looked([one.name for one in CHECKS])
    fields = [
        narrow.select("client", "Client", (*scopes(request), Option("organization", request.around.organization))),
        narrow.select("severity", "Severity", _options("Every severity", SEVERITIES)),
        narrow.select("check", "Check", _options("Every check", sorted(one.name for one in CHECKS))),
        narrow.select("state", "State", STATES),
    ]
    page = FindingsPage(
        head=PageHead("Findings", "what is wrong, as it was last read"),
        notes=(*narrow.notes(), *_unread(known), *freeze_notes(request)), label="Findings",
        filters=narrow.filters("Findings", fields),
        table=Table("Findings", COLUMNS, tuple(_row(request, one) for one in found.items), dense=True),
        pager=narrow.pager([when(one.since) for one in found.items], found.next),
        empty=None if found.items else _nothing(narrow, known),
    )  # fmt: skip
    return render(request, "findings.html", {"page": page})


def _asked(narrow: Narrow) -> Asked:
    search = "" if narrow.too_short else narrow.typed
    after = narrow["after"] if PLACE.fullmatch(narrow["after"]) or is_id(narrow["after"]) else ""
    by_id = narrow["state"] in ("closed", "any")
    return Asked(
        narrow["client"], narrow["severity"], narrow["check"], narrow["state"], search,
        after=after if is_id(after) == by_id else "",
    )  # fmt: skip


def _options(all_of_them: str, values: Iterable[str]) -> tuple[Option, ...]:
    return (Option("", all_of_them), *(Option(one, one) for one in values))


def _unread(known: Looked) -> tuple[Note, ...]:
    """What was not read says nothing: said before the list is."""
    if not known.unread:
        return ()
    names = ", ".join(known.unread)
    return (Note("Not all is known", f"Not read within ten minutes, or never: {names}.", "warn", "question-mark"),)


def _nothing(narrow: Narrow, known: Looked) -> Empty:
    if any(value for name, value in narrow.get.items() if name != "after"):
        return narrow.nothing("finding", "", "search-off")
    if known.unread:
        return Empty("Nothing is known", "That the list is empty says nothing while checks were not read.",
                     "question-mark")  # fmt: skip
    return Empty("Nothing is wrong", f"All checks were read by {when(known.at)} and found nothing.", "check")


def _row(request: Any, one: Any) -> Row:
    of = one.client.name if one.client_id and one.client else request.around.organization
    return Row((
        Cell(Link(one.title, f"/findings/{one.pk}/", strong=True), one.label), severity(one.severity), of,
        states(one) or "open", when(one.since), when(one.at),
    ), name=one.title)  # fmt: skip


def states(one: Any) -> tuple[Badge, ...]:
    """Where it stands; nothing where it is open and nobody is at it. That it is unknown is said beside what else."""
    if one.closed_at:
        return (Badge("good", f"gone {when(one.closed_at)}"),)
    found = [Badge("unknown", f"unknown since {when(one.unknown_since)}")] if one.unknown_since else []
    if one.accepted:
        found.append(Badge("fact", "accepted", "hand-stop"))
    elif one.acknowledged:
        found.append(Badge("fact", "acknowledged", "eye"))
    return tuple(found)


@page("findings.view")
def finding(request: Any, finding: UUID) -> HttpResponse:
    found = queries.whole(request.actor, finding)
    one = found.finding
    page = FindingPage(
        head=_head(request, one), notes=(*_uncertain(one), *freeze_notes(request, one.client_id)),
        diff=_diff(one.evidence), seen=_seen(one.evidence), suggestion=_suggestion(request, one),
        decisions=tuple(_decision(decided) for decided in found.decisions), before=_before(found),
        facts=_facts(request, one), told=_told(one) if request.access.reaches(None) else (),
    )  # fmt: skip
    return render(request, "finding.html", {"page": page})


def _head(request: Any, one: Any) -> PageHead:
    at, state = f"?finding={one.pk}", state_of(one)
    acknowledge = ("findings.acknowledge", Act("Acknowledge", f"/do/findings.acknowledge/{at}", "eye"))
    accept = ("findings.accept", Act("Accept…", f"/do/findings.accept/{at}", "hand-stop", "asks"))
    reopen = ("findings.reopen", Act("Reopen", f"/do/findings.reopen/{at}", "arrow-back-up"))
    wanted: dict[str, tuple[Any, ...]] = {"closed": (), "accepted": (reopen,), "acknowledged": (accept, reopen)}
    acts = wanted.get(state, (reopen, accept) if one.acknowledged else (acknowledge, accept))
    return PageHead(
        one.title, one.label, crumbs=(Crumb("Findings", "/findings/"),),
        badges=(severity(one.severity), *states(one)), acts=offered(request, one.client_id, *acts),
    )  # fmt: skip


def _uncertain(one: Any) -> tuple[Note, ...]:
    if one.closed_at or not one.unknown_since:
        return ()
    words = f"Neither there nor gone since {when(one.unknown_since)}: {one.unknown_why}"
    return (Note("What is so now is unknown", words, "warn", "question-mark"),)


def _diff(evidence: dict[str, Any]) -> tuple[FieldDiff, ...]:
    """Before and after, field by field where they are objects."""
    before, after = evidence.get("before"), evidence.get("after")
    if isinstance(before, dict) and isinstance(after, dict):
        sides = differing(before, after)
        return tuple(
            FieldDiff(field_words(name), shown(old.get(name)), shown(new.get(name))) for old, new, name in sides
        )
    return (FieldDiff("", shown(before), shown(after)),) if {"before", "after"} & evidence.keys() else ()


def _seen(evidence: dict[str, Any]) -> tuple[Fact, ...]:
    rest = {name: value for name, value in evidence.items() if name not in ("before", "after")}
    return tuple(Fact(field_words(name), _value(name, value)) for name, value in rest.items())


def _value(name: str, value: Any) -> Words:
    """The number of an entry leads to it."""
    if name == "entry" and isinstance(value, int):
        return Link(f"{value}", f"/audit/{value}/")
    return (shown(value) or "nothing").replace("\n", ", ")


def _suggestion(request: Any, one: Finding) -> tuple[Item, ...]:
    """The change that would help, as a form filled in; whoever may not submit it reads what it would be."""
    kind = doable(request, one.kind) if one.kind and not one.closed_at else None
    if kind is None or not request.access.can(one.kind, one.client_id):
        return (Item(called(one.kind), "for somebody who may", icon=icon_of(one.kind)),) if one.kind else ()
    url = f"/do/{one.kind}/?{urlencode(one.params, doseq=True)}"
    return (Item(called(one.kind), does(kind), icon=icon_of(one.kind), acts=(Act("Look at the plan", url),)),)


def _decision(one: Acceptance) -> Item:
    who = one.person.name if one.person_id and one.person else "somebody at the organization"
    until = f", until {when(one.until)}" if one.until else ""
    ended = f" · ended {when(one.ended_at)}" if one.ended_at else ""
    said = f"{one.reason} · " if one.reason else ""
    return Item(f"{one.sort.capitalize()}{until}", f"{said}{who}, {when(one.made)}{ended}",
                "off" if one.ended_at else "plain", "hand-stop" if one.sort == "accepted" else "eye")  # fmt: skip


def _before(found: Whole) -> tuple[Item, ...]:
    return tuple(
        Item(Link(f"{when(one.since)} to {when(one.closed_at) or 'now'}", f"/findings/{one.pk}/"), icon="history")
        for one in found.before
    )


def _facts(request: Any, one: Any) -> tuple[Fact, ...]:
    check = next((check for check in CHECKS if check.name == one.check_name), None)
    of: Any = request.around.organization
    if one.client_id and one.client:
        of = Link(one.client.name, f"/clients/{one.client.slug}/")
    return (
        Fact("About", _about(request, one)), Fact("Of", of),
        Fact("Check", Code(one.check_name), check.asks if check else ""),
        Fact("Source", check.source if check else "what was seen as it happened"),
        Fact("Since", when(one.since)), Fact("Last read as present", when(one.at, seconds=True)),
        Fact("Fingerprint", Code(one.fingerprint.rpartition(" ")[2]), "the same whenever this cause comes back"),
    )  # fmt: skip


def _about(request: Any, one: Finding) -> Any:
    if one.object and one.noun == "grants":
        grant = queries.grant(request.actor, one.object)
        return Link(grant.person.name, f"/people/{grant.person.email}/") if grant and grant.person else one.label
    if one.object and one.noun == "rounds":
        return Link(
            one.label, f"/{'rosters' if one.check_name.startswith('roster') else 'access-reviews'}/{one.object}/"
        )
    if one.object and one.noun in WITH_PAGES:
        return Link(one.label, f"/{one.noun}/{one.object}/")
    # what stands on a node under nobody's id is called by its address
    return Link(one.label, f"/nodes/{one.evidence.get('node', one.label)}/") if one.noun == "nodes" else one.label


def _told(one: Finding) -> tuple[Item, ...]:
    """Letters about a critical finding, each with what our submission answered; for the organization's own people."""
    return tuple(
        Item(to, said.get("answer") or said.get("why", ""), "ok" if "answer" in said else "warn", "mail")
        for to, said in sorted(one.told_to.items())
    )
