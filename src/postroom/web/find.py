"""The palette: a few letters lead to a client, domain, mailbox, person, a page, or to what can be done."""

from collections.abc import Iterator
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from postroom.changes.kind import KINDS
from postroom.queries.destinations import VIEW as DESTINATIONS
from postroom.queries.exceptions import VIEW as EXCEPTIONS
from postroom.queries.found import MOST, Hit, found
from postroom.queries.leaving import VIEW as LEAVING
from postroom.queries.postures import VIEW as POSTURE
from postroom.queries.searching import SHORTEST
from postroom.queries.tracing import VIEW as TRACED
from postroom.web.doing import doable
from postroom.web.door import page
from postroom.web.following import follow
from postroom.web.framed import query
from postroom.web.lists import clean
from postroom.web.parts.frame import Found, FoundGroup, Palette
from postroom.web.parts.shapes import Link
from postroom.web.titles import called, does, icon_of

NOUNS = (("clients", "Clients", "building"), ("domains", "Domains", "world"), ("mailboxes", "Mailboxes", "mailbox"),
         ("people", "People", "user"), ("destinations", "Destinations", "route"))  # fmt: skip

SEARCHED = f"Searched clients, domains, mailboxes, people and destinations; names need {SHORTEST} letters."
PAGES = (
    ("DNS posture", "/posture/", "certificate", POSTURE, "spf, dkim, dmarc, mx: every domain by the rules of mail"),
    ("Where mail lands", "/trace/", "route", TRACED, "trace an address: follow its mail hop by hop"),
    ("Forwards that leave", "/forwards/", "mail-forward", LEAVING, "every way out, over all clients"),
    ("Destinations", "/destinations/", "route", DESTINATIONS, "addresses under a name, and the aliases that use it"),
    ("Exceptions", "/exceptions/", "hand-stop", EXCEPTIONS, "what lets mail leave; allowed and forbidden patterns"),
)  # fmt: skip


@page("changes.view")
def find(request: Any) -> HttpResponse:
    typed = clean(str(request.GET.get("q", "")))
    groups = [group for noun, words, icon in NOUNS if (group := _objects(request, noun, words, icon, typed))]
    if ways := tuple(_pages(request, typed)):
        groups.append(FoundGroup("Go to", ways))
    if acts := _acts(request, typed):
        groups.append(FoundGroup("Do", acts))
    shown = Palette(typed, tuple(groups), SEARCHED)
    template = "palette_options.html" if request.headers.get("HX-Request") else "palette.html"
    return render(request, template, {"page": shown})


def _objects(request: Any, noun: str, words: str, icon: str, typed: str) -> FoundGroup | None:
    if len(typed) < SHORTEST or not request.access.can_somewhere(f"{noun}.view"):
        return None
    rows = found(request.actor, noun, typed)
    return FoundGroup(words, tuple(Found(one.words, _url(noun, one), icon, one.sub) for one in rows)) if rows else None


def _url(noun: str, one: Hit) -> str:
    """To its page; a destination stands in a list of few."""
    client, _, name = one.ref.partition(":")
    return f"/destinations/{query(client=client, q=name)}" if noun == "destinations" else f"/{noun}/{one.ref}/"


def _pages(request: Any, typed: str) -> Iterator[Found]:
    """Pages by what they are called; of an address that was typed, where its mail lands."""
    may = request.access.can_somewhere
    if may(TRACED) and isinstance(way := follow(typed), Link):
        yield Found(f"Follow mail to {way.of}", way.url, "route", "where it lands, by every rule")
    words = typed.lower().split()
    for called_so, url, icon, permission, besides in PAGES:
        told = f"{called_so} {besides}".lower()
        if words and may(permission) and all(word in told for word in words):
            yield Found(called_so, url, icon, besides)


def _acts(request: Any, typed: str) -> tuple[Found, ...]:
    wanted = [name for name in KINDS if doable(request, name)]
    words = typed.lower().split()
    hits = [name for name in wanted if all(word in f"{called(name)} {name}".lower() for word in words)]
    return tuple(Found(called(name), f"/do/{name}/", icon_of(name), does(KINDS[name])[:80]) for name in hits[:MOST])
