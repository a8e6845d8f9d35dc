"""Destinations: where mail of one sort goes, under a name; what each touches, and changing it once for all."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from postroom.models import Destination
from postroom.queries.destinations import VIEW, Used, used
from postroom.queries.lists import listed
from postroom.web.door import page
from postroom.web.following import follow
from postroom.web.framed import freeze_notes, offered, query
from postroom.web.lists import IN_USE, Narrow, scopes
from postroom.web.parts.route_pages import DestinationsPage
from postroom.web.parts.shapes import Act, Badge, Cell, Code, Column, Inline, Link, PageHead, Row, Strong, Table
from postroom.web.times import when

COLUMNS = (
    Column("Destination"), Column("Leads to"), Column("Aliases that use it"), Column("Client"),
    Column("Act", num=True, hidden=True),
)  # fmt: skip
ADD = Act("Name a destination", "/do/destinations.create/", "plus")
NOTHING = "Addresses under a name, such as invoicing: changed once, every alias that uses it follows."


@page(VIEW)
def destinations(request: Any) -> HttpResponse:
    narrow = Narrow(request, by_id=True)
    found = listed(request.actor, "destinations", narrow.asked)
    using = used(request.actor, [one.pk for one in found.items])
    add = (ADD,) if request.access.can_somewhere("destinations.create") else ()
    fields = [narrow.select("client", "Client", scopes(request)), narrow.select("state", "State", IN_USE)]
    shown = DestinationsPage(
        head=PageHead("Destinations", "changed once, every alias that uses it follows", acts=add),
        notes=(*narrow.notes(), *freeze_notes(request)), label="Destinations",
        filters=narrow.filters("Destinations", fields),
        table=Table("Destinations", COLUMNS, tuple(_row(request, one, using.get(one.pk)) for one in found.items),
                    dense=True),
        pager=narrow.pager([one.name for one in found.items], found.next),
        empty=None if found.items else narrow.nothing("destination", NOTHING, "route", add),
    )  # fmt: skip
    return render(request, "list.html", {"page": shown})


def _row(request: Any, one: Destination, using: Used | None) -> Row:
    ref = f"{one.client.slug}:{one.name}"
    called: tuple[Inline, ...] = (Strong(one.name),)
    if one.removed_at:
        called = (*called, Badge("fact", f"ended {when(one.removed_at)}"))
    leads = tuple(part for to in one.targets for part in (Code(to), follow(to)))
    return Row(
        (Cell(called, Code(ref)), leads, _using(using), Link(one.client.name, f"/clients/{one.client.slug}/"),
         Cell(acts=() if one.removed_at else _acts(request, one, ref, using))),
        name=one.name,
    )  # fmt: skip


def _using(using: Used | None) -> Cell:
    if using is None:
        return Cell("none")
    rest = f"and {using.aliases - 1:,} more" if using.aliases > 1 else ""
    return Cell((Code(using.first), rest), follow(using.first))


def _acts(request: Any, one: Destination, ref: str, using: Used | None) -> tuple[Act, ...]:
    at = query(destination=ref)
    end = ("destinations.end", Act("End…", f"/do/destinations.end/{at}", weight="asks", of=one.name))
    wanted = (
        ("destinations.change", Act("Change", f"/do/destinations.change/{at}", of=one.name)),
        ("aliases.create", Act("Make an alias", f"/do/aliases.create/{at}", of=f"to {one.name}")),
    )
    return offered(request, one.client_id, *wanted, *(() if using else (end,)))
