"""The routing map of a client, or of one of its domains: drawn, and in words below."""

from collections.abc import Container
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from postroom.changes.errors import NotAllowed
from postroom.models import Client, Domain
from postroom.queries.mapping import Map, mapped
from postroom.queries.objects import row_of
from postroom.queries.route_rows import ALIAS, FORWARD, TRANSPORT, Asked, Route
from postroom.web.door import page
from postroom.web.following import follow
from postroom.web.framed import freeze_notes, offered, query
from postroom.web.lists import Narrow
from postroom.web.parts.route_map import WORST
from postroom.web.parts.route_pages import RoutingPage
from postroom.web.parts.shapes import (
    Act,
    Badge,
    Cell,
    Code,
    Column,
    Crumb,
    Empty,
    Inline,
    Link,
    Note,
    PageHead,
    Row,
    Table,
)
from postroom.web.routing_groups import CALLED, grouped
from postroom.web.times import when

TABLE = (
    Column("Address"),
    Column("Rule"),
    Column("Leads to"),
    Column("Until"),
    Column("How it is", phone="right"),
)
BADGES = {
    "warn": lambda words: Badge("warn", words), "bad": lambda words: Badge("bad", words),
    "unknown": lambda words: Badge("unknown", words),
}  # fmt: skip
NOTHING = Empty(
    "No route", "Every mailbox lands in itself: no alias, forward, catch-all or filter passes mail on.", "route"
)
NOT_KNOWN = Empty(
    "No route is known", "No alias, forward or catch-all passes mail on; what filters do is not known now.", "route"
)


@page("addresses.view", recorded="clients")
def of_client(request: Any, ref: str) -> HttpResponse:
    one: Client = row_of(request.actor, "clients", ref)
    if one.pk in request.access.closed:
        raise NotAllowed(f"{one.name} closed itself to the organization")
    request.opened = one
    crumbs = (Crumb("Clients", "/clients/"), Crumb(one.name, f"/clients/{one.slug}/"))
    return _shown(
        request, one, None, PageHead(f"Where mail of {one.name} lands", "every route there is", crumbs=crumbs)
    )


@page("addresses.view")
def of_domain(request: Any, ref: str) -> HttpResponse:
    one: Domain = row_of(request.actor, "domains", ref)
    crumbs = (Crumb("Domains", "/domains/"), Crumb(one.name, f"/domains/{one.name}/"))
    acts = offered(
        request, one.client_id,
        ("forwards.create", Act("Forward mail", "/do/forwards.create/", icon="route")),
        ("catch_alls.set", Act("Set a catch-all", f"/do/catch_alls.set/{query(domain=one.name)}", icon="route")),
        domain=one.pk,
    )  # fmt: skip
    head = PageHead(f"Where mail of {one.name} lands", "every route there is", crumbs=crumbs, acts=acts)
    return _shown(request, one.client, one, head)


def _shown(request: Any, client: Client, domain: Domain | None, head: PageHead) -> HttpResponse:
    narrow = Narrow(request)
    found = mapped(Asked(request.actor, client, timezone.now(), domain, narrow.after))
    about = [domain.pk] if domain else None
    may = frozenset(sort for sort, kind in CHANGED_BY.items() if request.access.can_about(kind, client.pk, about))
    routes = sorted(found.routes.items, key=lambda one: (WORST.index(one.state), one.source, one.sort))
    shown = RoutingPage(
        head=head, label="Routes", notes=(*_unknown(found), *freeze_notes(request, client.pk)),
        drawing=grouped(routes, found.landings) if routes else None,
        table=Table("Routes", TABLE, tuple(_row(n, one, may) for n, one in enumerate(routes)), dense=True),
        pager=narrow.pager([one.source for one in found.routes.items], found.routes.next),
        empty=None if routes else NOT_KNOWN if found.unread else NOTHING,
    )  # fmt: skip
    return render(request, "routing.html", {"page": shown})


def _unknown(found: Map) -> tuple[Note, ...]:
    if not found.unread:
        return ()
    words = f"{found.unread}. What they do now is not known; where one is shown, it is as it was then."
    return (Note("Not all is known", f"{words[0].upper()}{words[1:]}", "warn", "question-mark"),)


def _row(n: int, one: Route, may: Container[str]) -> Row:
    badge: tuple[Inline, ...] = (BADGES[one.state](one.words),) if one.state in BADGES else (one.words,)
    leads: tuple[Inline, ...] = tuple(Code(to) for to in one.targets) or (Badge("unknown", "nobody knows"),)
    own: tuple[Inline, ...] = ("and its own mailbox",) if one.keeps else ()
    return Row(
        (Cell(Code(one.source), follow(one.source)), CALLED[one.sort], Cell((*leads, *own)),
         when(one.until) if one.until else "", Cell((*badge, *(_act(one) if one.sort in may else ())))),
        name=f"{one.source}, {CALLED[one.sort]}", id=f"r{n}",
    )  # fmt: skip


CHANGED_BY = {ALIAS: "aliases.change", FORWARD: "forwards.end", TRANSPORT: "transports.end"}


def _act(one: Route) -> tuple[Inline, ...]:
    at = {
        ALIAS: f"/do/aliases.change/{query(alias=one.source)}",
        FORWARD: f"/do/forwards.end/{query(forward=str(one.id))}",
        TRANSPORT: f"/do/transports.end/{query(transport=str(one.id))}",
    }
    words = {ALIAS: "Change", FORWARD: "End\u2026", TRANSPORT: "End\u2026"}
    return (Link(words[one.sort], at[one.sort]),) if one.sort in at else ()
