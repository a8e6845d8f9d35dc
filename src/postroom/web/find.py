"""The palette: a few letters lead to a client, domain, mailbox, person, a page, or to what can be done."""

from collections.abc import Iterator
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from postroom.changes.kind import KINDS
from postroom.queries.found import MOST, found
from postroom.queries.leaving import VIEW as LEAVING
from postroom.queries.searching import SHORTEST
from postroom.queries.tracing import VIEW as TRACED
from postroom.web.doing import doable
from postroom.web.door import page
from postroom.web.following import follow
from postroom.web.lists import clean
from postroom.web.parts.frame import Found, FoundGroup, Palette
from postroom.web.parts.shapes import Link
from postroom.web.titles import called, does, icon_of

NOUNS = (("clients", "Clients", "building"), ("domains", "Domains", "world"), ("mailboxes", "Mailboxes", "mailbox"),
         ("people", "People", "user"))  # fmt: skip

PAGES = (
    ("Where mail lands", "/trace/", "route", TRACED, "trace an address: follow its mail hop by hop"),
    ("Forwards that leave", "/forwards/", "mail-forward", LEAVING, "every way out, over all clients"),
)  # fmt: skip


@page("changes.view")
def find(request: Any) -> HttpResponse:
    query = clean(str(request.GET.get("q", "")))
    groups = [group for noun, words, icon in NOUNS if (group := _objects(request, noun, words, icon, query))]
    if ways := tuple(_pages(request, query)):
        groups.append(FoundGroup("Go to", ways))
    if acts := _acts(request, query):
        groups.append(FoundGroup("Do", acts))
    searched = f"Searched clients, domains, mailboxes and people you may see; names need {SHORTEST} letters."
    shown = Palette(query, tuple(groups), searched)
    template = "palette_options.html" if request.headers.get("HX-Request") else "palette.html"
    return render(request, template, {"page": shown})


def _objects(request: Any, noun: str, words: str, icon: str, query: str) -> FoundGroup | None:
    if len(query) < SHORTEST or not request.access.can_somewhere(f"{noun}.view"):
        return None
    rows = found(request.actor, noun, query)
    return (
        FoundGroup(words, tuple(Found(one.words, f"/{noun}/{one.ref}/", icon, one.sub) for one in rows))
        if rows
        else None
    )


def _pages(request: Any, query: str) -> Iterator[Found]:
    """Pages by what they are called; of an address that was typed, where its mail lands."""
    may = request.access.can_somewhere
    if may(TRACED) and isinstance(way := follow(query), Link):
        yield Found(f"Follow mail to {way.of}", way.url, "route", "where it lands, by every rule")
    words = query.lower().split()
    for called_so, url, icon, permission, besides in PAGES:
        told = f"{called_so} {besides}".lower()
        if words and may(permission) and all(word in told for word in words):
            yield Found(called_so, url, icon, besides)


def _acts(request: Any, query: str) -> tuple[Found, ...]:
    wanted = [name for name in KINDS if doable(request, name)]
    words = query.lower().split()
    hits = [name for name in wanted if all(word in f"{called(name)} {name}".lower() for word in words)]
    return tuple(Found(called(name), f"/do/{name}/", icon_of(name), does(KINDS[name])[:80]) for name in hits[:MOST])
