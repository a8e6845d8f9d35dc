"""Access review: who may do what here, since when, until when, given by whom, and when it was last used."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from postroom.queries.access import Right, chosen, grants, others, tokens
from postroom.web.door import page
from postroom.web.framed import closed_notes, freeze_notes, offered
from postroom.web.lists import Narrow, scopes
from postroom.web.parts.pages import AccessPage
from postroom.web.parts.shapes import Act, Badge, Cell, Code, Column, Link, PageHead, Row, Strong, Table, Words
from postroom.web.people import SEALED_LOGIN
from postroom.web.times import when

COLUMNS = (
    Column("Person", phone="under"), Column("Role"), Column("Where"), Column("Since"), Column("Until"),
    Column("Given by"), Column("Last used"), Column("Act", num=True, hidden=True),
)  # fmt: skip
TOKENS = (Column("Token", phone="under"), Column("May"), Column("Where"), Column("Since"), Column("Until"),
          Column("Last used"), Column("Act", num=True, hidden=True))  # fmt: skip
OTHERS = (Column("Person", phone="under"), Column("Role"), Column("Where"), Column("Since"), Column("Until"),
          Column("Last change here"))  # fmt: skip


@page("grants.view")
def access(request: Any) -> HttpResponse:
    narrow = Narrow(request, by_id=True)
    one = chosen(request.actor, narrow["client"])
    found = grants(request.actor, one, search=narrow.asked.search, after=narrow.after)
    programs = tokens(request.actor, one)
    strangers = others(request.actor, one, [right.id for right in (*found.items, *programs)])
    at = f"?client={one.slug}" if one else ""
    give = offered(request, one.pk if one else None,
                   ("grants.give", Act("Give a role", f"/do/grants.give/{at}", "user-plus")))  # fmt: skip
    said = closed_notes(request, one) if one and one.pk not in request.access.closed else ()
    shown = AccessPage(
        head=PageHead("Access review", f"who may act at {one.name}" if one else "who may do what, where",
                      acts=(*_asked(request, at), *give)),
        notes=(*narrow.notes(), *said, *freeze_notes(request, one.pk if one else None)),
        label="Roles", filters=narrow.filters("Roles", [narrow.select("client", "Client", scopes(request))]),
        table=Table("Roles", COLUMNS, tuple(_grant(request, right) for right in found.items), dense=True),
        pager=narrow.pager([right.name for right in found.items], found.next),
        empty=None if found.items else narrow.nothing("role", "Whoever is given one stands here.", "users"),
        tokens=_tokens(request, programs), others=_others(request, strangers),
    )  # fmt: skip
    return render(request, "access.html", {"page": shown})


def _asked(request: Any, at: str) -> tuple[Act, ...]:
    """What is asked of each client every quarter."""
    if not request.access.can_somewhere("rounds.view"):
        return ()
    reviews = Act("Quarterly reviews", f"/access-reviews/{at}", "checklist")
    return reviews, Act("Rosters", f"/rosters/{at}", "users")


def _grant(request: Any, one: Right) -> Row:
    end = ("grants.end", Act("End…", f"/do/grants.end/?grant={one.id}", weight="asks", of=f"{one.role} of {one.name}"))
    role: Words = (Strong(one.role), SEALED_LOGIN) if one.sealed else Strong(one.role)
    return Row((
        Cell(Link(one.name, f"/people/{one.email}/", strong=True), one.email), Cell(role, one.reason or ""),
        where(request, one), when(one.since), when(one.until) or "no end", one.by or "the founding",
        last_used(one), Cell(acts=offered(request, one.client_id, end)),
    ), name=one.name)  # fmt: skip


def where(request: Any, one: Right) -> Words:
    if one.where == "organization":
        return str(request.around.organization)
    return one.domain or next((name for name, slug in request.around.clients if slug == one.client), one.client)


def last_used(one: Right) -> Cell | Words:
    """The newest of what they did, and what it was; never is said as such."""
    said = {"changed something": one.changed, "signed in": one.signed_in, "by its program": one.token_used}
    newest = next((words for words, at in said.items() if at and at == one.last), "")
    return Cell(when(one.last), newest) if one.last else Badge("fact", "never", "user-off")


def _tokens(request: Any, found: Sequence[Right]) -> Table | None:
    return Table("Tokens", TOKENS, tuple(_token(request, one) for one in found)) if found else None


def _token(request: Any, one: Right) -> Row:
    end = ("tokens.end", Act("End…", f"/do/tokens.end/?token={one.id}", weight="asks", of=one.role))
    return Row((
        Cell(Strong(one.role), Link(one.name, f"/people/{one.email}/")), Code(one.reason or ""), where(request, one),
        when(one.since), when(one.until), last_used(one), Cell(acts=offered(request, one.client_id, end)),
    ), name=one.role)  # fmt: skip


def _others(request: Any, found: Sequence[Right]) -> Table | None:
    return Table("Others", OTHERS, tuple(_other(request, one) for one in found)) if found else None


def _other(request: Any, one: Right) -> Row:
    role: Words = (Strong(one.role), SEALED_LOGIN) if one.sealed else Strong(one.role)
    what: Words = ("token", Strong(one.role)) if one.sort == "token" else role
    last: Words = when(one.changed) if one.changed else Badge("fact", "none", "user-off")
    return Row((one.name, what, where(request, one), when(one.since), when(one.until) or "no end", last), name=one.name)
