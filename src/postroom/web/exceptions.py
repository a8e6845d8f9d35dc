"""Exceptions: all that lets mail leave, over all clients, who answers for it and until when; and the patterns beside.

Renewing is asking anew: another exception, that waits for a second person as the first did.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render

from postroom.models import RouteException, Transport
from postroom.protocols.patterns import PRIVATE, PROVIDERS, private
from postroom.queries.exceptions import PLACE, VIEW, Asked, Let, Patterns, listed, patterns
from postroom.web.door import page
from postroom.web.following import follow
from postroom.web.framed import freeze_notes, offered, query
from postroom.web.leaving_rows import agreement, day
from postroom.web.lists import Narrow, clean, scopes
from postroom.web.parts.forms import Option
from postroom.web.parts.route_pages import ExceptionsPage
from postroom.web.parts.shapes import Act, Badge, Cell, Code, Column, Inline, Item, Link, PageHead, Row, Table, Words
from postroom.web.times import when

COLUMNS = (
    Column("Mail of"), Column("May go to"), Column("Until", phone="right"), Column("Answers for it"),
    Column("Asked and agreed"), Column("Rests on it"), Column("Act", num=True, hidden=True),
)  # fmt: skip
STATES = (
    Option("", "Standing"), Option("review", "Due for review"), Option("soon", "Ends within 30 days"),
    Option("ended", "Ended"),
)  # fmt: skip
FOR, LONGEST = timedelta(days=90), timedelta(days=365)
ICON = "hand-stop"


@page(VIEW)
def exceptions(request: Any) -> HttpResponse:
    narrow = Narrow(request)
    asked = _asked(narrow, request.GET.get("after", ""))
    found = listed(request.actor, asked)
    may = request.access.can_somewhere
    add = (Act("Add an exception", "/do/exceptions.create/", "plus"),) if may("exceptions.create") else ()
    fields = [narrow.select("client", "Client", scopes(request)), narrow.select("state", "State", STATES)]
    shown = ExceptionsPage(
        head=PageHead("Exceptions", "all that lets mail leave a client; what ends first comes first",
                      acts=(Act("Forwards that leave", "/forwards/", "mail-forward"), *add)),
        notes=(*narrow.notes(), *freeze_notes(request)), label="Exceptions",
        filters=narrow.filters("Exceptions", fields),
        table=Table("Exceptions", COLUMNS, tuple(_row(request, one) for one in found.items), dense=True, high=True),
        pager=narrow.pager([one.row.address.address for one in found.items], found.next),
        empty=None if found.items else narrow.nothing("exception", "Mail leaves by an allowed pattern, or not.", ICON),
        policy=tuple(_policy(request, asked.client)),
    )  # fmt: skip
    return render(request, "exceptions.html", {"page": shown})


def _asked(narrow: Narrow, after: str) -> Asked:
    """As the address says it; what it cannot mean is left out."""
    state = narrow["state"] if narrow["state"] in {one.value for one in STATES} else ""
    search = "" if narrow.too_short else clean(narrow.typed)
    return Asked(narrow["client"], state, search, after if PLACE.fullmatch(after) else "")


def _row(request: Any, one: Let) -> Row:
    row = one.row
    name = f"{row.address.address} to {one.target}"
    ours = ("handed to another server",) if one.transport else ()
    client = Link(row.client.name, f"/clients/{row.client.slug}/")
    provider = (Badge("fact", "private provider", "user"),) if private(one.target) else ()
    return Row(
        (
            Cell(Code(row.address.address), (client, "·", follow(row.address.address))),
            Cell((Code(one.target), *provider), ours),
            _until(one), Cell(row.owner, f"“{row.reason}”" if row.reason else ""), _agreed(one), _rests(one),
            Cell(acts=_acts(request, one, name)),
        ),
        name=name,
    )  # fmt: skip


def _until(one: Let) -> Cell:
    row = one.row
    if one.over:
        ended = row.ended_at if row.ended_at and row.ended_at < row.until else row.until
        return Cell(Badge("fact", f"ended {when(ended)}"))
    review = Badge("warn", f"review was due {day(row.review_on)}") if one.due else f"review {day(row.review_on)}"
    return Cell(when(row.until), review)


def _agreed(one: Let) -> Cell:
    by = one.agreed
    return Cell(f"asked by {by.by}, {when(by.at)}" if by else "", agreement(by))


def _rests(one: Let) -> Words:
    if one.transport:
        return "nothing more" if one.over else "all mail of the address"
    if one.rests is None:
        return Badge("unknown", "not yours to see")
    named: tuple[Inline, ...] = ("; ".join(one.rests),) if one.rests else ("no forward, and no filter as last read",)
    return named


def _acts(request: Any, one: Let, name: str) -> tuple[Act, ...]:
    row, at = one.row, {"domain": one.row.address.domain_id}
    if isinstance(row, Transport):
        end = Act("End…", f"/do/transports.end/{query(transport=str(row.pk))}", weight="asks", of=name)
        return () if one.over else offered(request, row.client_id, ("transports.end", end), **at)
    end = Act("End…", f"/do/exceptions.end/{query(exception=str(row.pk))}", weight="asks", of=name)
    wanted = (("exceptions.create", Act("Renew", _again(row), of=name)), ("exceptions.end", end))
    return offered(request, row.client_id, *(wanted[:1] if one.over else wanted), **at)


def _again(row: RouteException) -> str:
    """To the form, filled in: a quarter more, a year from now at most."""
    now = datetime.now(row.until.tzinfo)
    until = min(max(row.until, now) + FOR, now + LONGEST)
    said = query(address=row.address.address, target=row.target, owner=row.owner, until=f"{until:%Y-%m-%dT00:00}",
                 on_end=row.on_end, why=row.reason)  # fmt: skip
    return f"/do/exceptions.create/{said}"


def _policy(request: Any, client: str) -> Iterator[Item]:
    """What is allowed and forbidden, everywhere and at single clients; two queries."""
    ours, theirs, more = patterns(request.actor, client)
    may = request.access
    yield _said("Every client", ours, "/do/organization.change/", (), may.can("organization.change", None))
    for one in theirs:
        fixed = (("client", one.slug),)
        change = may.can_somewhere("clients.change")
        yield _said(Link(one.name, f"/clients/{one.slug}/"), one, "/do/clients.change/", fixed, change)
    if more:
        yield Item("More clients have patterns of their own", "Narrow the list to one of them to see its.", icon=ICON)


def _said(whose: Inline, one: Patterns, url: str, fixed: tuple[tuple[str, str], ...], may: bool) -> Item:
    """With a button that adds the private providers to what is forbidden, or to what is allowed."""
    words = (
        f"Allowed without an exception: {', '.join(one.allowed) or 'nothing'}.",
        f"Forbidden whatever exception there is: {', '.join(one.forbidden) or 'nothing'}.",
    )
    acts = tuple(_choices(one, url, fixed)) if may else ()
    return Item(whose, words, icon=ICON, acts=acts)


def _choices(one: Patterns, url: str, fixed: tuple[tuple[str, str], ...]) -> Iterator[Act]:
    of = one.name or "every client"
    kept = [*fixed, *(("forward_allowed", each) for each in one.allowed)]
    kept += [("forward_forbidden", each) for each in one.forbidden]
    if PRIVATE not in one.forbidden:
        said = urlencode([*kept, ("forward_forbidden", PRIVATE)])
        yield Act("Forbid private providers", f"{url}?{said}", "ban", of=f"{of}, {len(PROVIDERS)} of them")
    yield Act("Change", f"{url}?{urlencode(kept)}", "pencil", of=of)
