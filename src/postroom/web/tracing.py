"""Where mail to an address lands: a field for the address, the way in its order, the ends, and what leads there."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from postroom.changes.errors import NotThere, Problem
from postroom.queries.destinations import VIEW as NAMED
from postroom.queries.probing import VIEW as PROBES
from postroom.queries.probing import probed
from postroom.queries.tracing import VIEW, traced
from postroom.web import landing, probing
from postroom.web.door import page
from postroom.web.framed import freeze_notes, query
from postroom.web.lists import clean
from postroom.web.parts.forms import Field, Form
from postroom.web.parts.route_pages import TracePage
from postroom.web.parts.shapes import Act, Badge, Code, Item, Link, PageHead, Words
from postroom.web.times import when
from postroom.web.titles import called

Hop = Mapping[str, Any]
SAID = {
    "alias": "alias, passes it on to", "forward": "forward to", "catch-all": "catch-all of its domain, to",
    "domain alias": "its domain stands for another:", "plus": "the part after + falls away:",
    "sieve": "filter, sends it to", "transport": "handed to another mail server:",
}  # fmt: skip
DESTINATIONS = Act("Destinations", "/destinations/", "route")
SOMETIMES = Badge("warn", "sometimes")
ICONS = {"mailbox": "mailbox", "outside": "world", "refused": "ban", "discarded": "ban", "loop": "refresh"}
TONES: Mapping[str, Any] = {"mailbox": "ok", "outside": "warn", "refused": "bad", "discarded": "bad", "loop": "bad"}


@page(VIEW)
def trace(request: Any) -> HttpResponse:
    typed = clean(str(request.GET.get("address", "")))
    found, error, status = _found(request, typed)
    proof = probed(request.actor, typed)["probe"] if found and request.access.can_somewhere(PROBES) else None
    shown = TracePage(
        head=PageHead("Where mail lands", found["address"] if found else "type an address of a domain you see",
                      acts=(DESTINATIONS,) if request.access.can_somewhere(NAMED) else ()),
        notes=freeze_notes(request), form=_form(typed or _at(request), error), at=when(found["at"]) if found else "",
        hops=tuple(map(_hop, found["hops"])) if found else (),
        ends=_ends(found) if found else (), leads=_leads(found) if found else (),
        traced=found is not None, proof=probing.head(proof) if proof else "",
        proven=probing.items(proof) if proof else (), prove=_prove(request, found),
    )  # fmt: skip
    return render(request, "trace.html", {"page": shown}, status=status)


def _found(request: Any, typed: str) -> tuple[dict[str, Any] | None, str, int]:
    """What is known of it; or why that cannot be said."""
    if not typed:
        return None, "", 200
    try:
        return traced(request.actor, typed), "", 200
    except NotThere as error:  # a search that found nothing
        return None, error.what, 200
    except Problem as error:
        return None, error.what, 422


def _at(request: Any) -> str:
    """What is typed in already, where somebody came from a domain."""
    name = clean(str(request.GET.get("at", "")))
    return f"@{name}" if name else ""


def _form(typed: str, error: str) -> Form:
    field = Field("address", "Address", "text", typed, error=error, required=True, placeholder="name@domain.example")
    return Form((field,), "Trace", "/trace/", icon="route")


def _prove(request: Any, found: Hop | None) -> Act | None:
    if found is None or not request.access.can_somewhere("probes.send"):
        return None
    return Act("Prove it", f"/do/probes.send/{query(address=found['address'])}", "send", of=found["address"])


def _hop(hop: Hop) -> Item:
    """One step: from where, by which rule, to where; below it who made the rule and how long it holds."""
    title = (
        Code(hop["at"]),
        *landing.of(hop),
        SAID[hop["mechanism"]],
        *_targets(hop),
        "and keeps a copy" if hop["keeps"] else "",
    )
    tone: Any = "warn" if hop["unknown"] or hop["exception"] or hop["sometimes"] else "plain"
    return Item(title, _rule(hop), tone, icon="route")


def _targets(hop: Hop) -> list[Any]:
    words: list[Any] = [Code(one) for one in hop["to"]] or ["nobody"]
    if hop["sometimes"]:
        words.append(SOMETIMES)
    if hop["unknown"]:
        words.append(Badge("unknown", f"unknown: {hop['unknown']}"))
    return words


def _rule(hop: Hop) -> Words:
    said: list[Any] = []
    for made in filter(None, (hop["made"], (hop["made"] or {}).get("changed"))):
        words = f"{called(made['kind'])}, by {made['by']}, {when(made['at'])}"
        said += [Link(words, f"/changes/{made['change']}/"), f"“{made['why']}”." if made["why"] else "."]
    if hop["read_at"]:
        said.append(f"As its node read it {when(hop['read_at'])}.")
    if hop["until"]:
        said.append(f"Until {when(hop['until'])}.")
    if let := hop["exception"]:
        more = f" until {when(let['until'])}; {let['owner']} answers for it: {let['reason']}" if let["owner"] else ""
        said.append(f"Leaves by an exception{more or ' that is not yours to see.'}")
    if hop["not_sent"]:
        said.append(f"The node sends nothing to {', '.join(hop['not_sent'])}: it stays.")
    return tuple(said)


def _ends(found: Mapping[str, Any]) -> tuple[Item, ...]:
    hits = {("outside", one["target"]): f"mail to it last left {when(one['at'])}" for one in found["last_hits"]}
    items = [
        Item(landing.end(one), hits.get((one["sort"], one["address"]), ""), TONES.get(one["sort"], "plain"),
             ICONS.get(one["sort"], "question-mark")) for one in found["landings"]
    ]  # fmt: skip
    return tuple(items) or (Item(landing.THROWN_AWAY, tone="bad", icon="ban"),)


def _leads(found: Mapping[str, Any]) -> tuple[Item, ...]:
    items = [
        Item(
            (landing.address(one["address"]), f"by {one['by']}", SOMETIMES if one["sometimes"] else ""),
            icon="route", acts=_follow(one["address"]),
        ) for one in found["leads_here"]
    ]  # fmt: skip
    if more := found["more_lead_here"]:
        items.append(Item((Badge("unknown", "not shown"), f"{more} more may lead here"), icon="route"))
    return tuple(items)


def _follow(address: str) -> tuple[Act, ...]:
    return () if address.startswith("*@") else (Act("Trace", f"/trace/{query(address=address)}", of=address),)
