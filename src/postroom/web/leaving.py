"""Forwards that leave: every way by which mail leaves a client, worst first, and how much of that is known."""

from typing import Any

from django.http import FileResponse, HttpResponse
from django.shortcuts import render

from postroom.access.declared import ALWAYS, EXPORT
from postroom.access.roles import SHEET
from postroom.queries.coverage import Coverage, coverage
from postroom.queries.leaving import MECHANISMS, PLACE, RISKS, VIEW, Asked, listed
from postroom.queries.leaving_files import take_out
from postroom.queries.lists import SIZE
from postroom.web import leaving_views
from postroom.web.door import act, page
from postroom.web.framed import freeze_notes
from postroom.web.leaving_rows import COLUMNS, HOW, row
from postroom.web.lists import Narrow, clean, reason, scopes
from postroom.web.parts.forms import Field, Form, Option
from postroom.web.parts.route_pages import LeavingPage
from postroom.web.parts.shapes import Act, Badge, Bulk, BulkAct, Empty, Item, PageHead, Progress, Table
from postroom.web.step_up import fresh
from postroom.web.times import when

TITLE = "Forwards that leave"
BULK = (
    ("exceptions.create", BulkAct("Approve an exception…", "exceptions.create", "hand-stop")),
    ("forwards.stop", BulkAct("Disable or end…", "forwards.stop", "player-pause", "asks")),
    ("forwards.replace", BulkAct("Replace by access…", "forwards.replace", "user-cog")),
    ("forwards.tell_owner", BulkAct("Tell the owner…", "forwards.tell_owner", "mail")),
)
WAYS = (
    Option("", "Every mechanism"), *(Option(one, HOW[one].capitalize()) for one in MECHANISMS if one in HOW),
    Option("by way", "By way of another address"),
)  # fmt: skip
ONLY = (
    Option("", "Wherever it goes"), Option("private", "To private providers"),
    Option("unexcepted", "Without an exception"), Option("both", "To private providers, without an exception"),
)  # fmt: skip
NONE_FOUND = Empty(
    "None was found, and not all was checked",
    "That the list is empty says nothing of the mailboxes whose scripts were not checked: why is said above.",
    "question-mark",
)


@page(VIEW)
def leaving(request: Any) -> HttpResponse:
    narrow = Narrow(request)
    asked = _asked(narrow.get, after=request.GET.get("after", ""))
    found = listed(request.actor, asked, limit=SIZE)
    known = coverage(request.actor, asked.client)
    may = request.access.can_somewhere
    acts = tuple(one for permission, one in BULK if may(permission))
    shown = LeavingPage(
        head=PageHead(TITLE, "every way by which mail leaves a client, worst first", acts=_acts(request, asked.client)),
        notes=(*narrow.notes(), *freeze_notes(request)), label=TITLE,
        filters=narrow.filters("Forwards", _fields(request, narrow)),
        table=Table(TITLE, COLUMNS, tuple(map(row, found.items)), dense=True, high=True,
                    bulk=Bulk("/forwards/chosen/", "way", acts, "ways") if acts else None),
        pager=narrow.pager([one.address for one in found.items], found.next),
        empty=None if found.items else _nothing(narrow, known), sure=_sure(known), known=_known(known),
        unchecked=tuple(Item(one.counted, f"{one.example} is one" if one.example else "", "warn")
                        for one in known.unchecked),
        export=_export_form(request, asked) if may(SHEET) else None,
        views=leaving_views.items(request), save=leaving_views.form(narrow),
    )  # fmt: skip
    return render(request, "leaving.html", {"page": shown})


def _asked(said: Any, *, after: str = "") -> Asked:
    """As the address, or a form, says it; what it cannot mean is left out."""
    typed, only = clean(str(said.get("q", ""))), said.get("only", "")
    mechanism, risk = said.get("mechanism", ""), said.get("risk", "")
    return Asked(
        clean(str(said.get("client", ""))), mechanism if mechanism in MECHANISMS else "", risk if risk in RISKS else "",
        only in ("private", "both"), only in ("unexcepted", "both"), typed if len(typed) > 2 else "",
        after if PLACE.fullmatch(after) else "",
    )  # fmt: skip


def _fields(request: Any, narrow: Narrow) -> list[Field]:
    return [
        narrow.select("client", "Client", scopes(request)), narrow.select("mechanism", "Mechanism", WAYS),
        narrow.select("risk", "Risk", (Option("", "Every risk"), *(Option(one, one.capitalize()) for one in RISKS))),
        narrow.select("only", "Only", ONLY),
    ]  # fmt: skip


def _acts(request: Any, client: str) -> tuple[Act, ...]:
    may = request.access.can_somewhere("forwards.create")
    forward = (Act("Forward mail", "/do/forwards.create/", "plus"),) if may else ()
    return (Act("Look at scripts now", "/forwards/looks/", "refresh", method="post", hidden=(("client", client),)),
            *forward)  # fmt: skip


def _nothing(narrow: Narrow, known: Coverage) -> Empty:
    if not known.whole:
        return NONE_FOUND
    words = f"Every script was read by {when(known.at)}." if known.at else "There is no mailbox either."
    if any(value for name, value in narrow.get.items() if name != "after"):
        return narrow.nothing("way out", "", "search-off")
    return Empty("No mail leaves", f"{words} No forward, catch-all, alias or transport leads outside.", "check")


def _sure(known: Coverage) -> Badge:
    """Good only where all of at least one was checked."""
    if not known.all:
        return Badge("fact", "nothing to check") if known.whole else Badge("unknown", "a node is silent")
    words = f"{known.checked:,} of {known.all:,} checked"
    if known.whole:
        return Badge("good", words)
    rest = known.all - known.checked
    return Badge("unknown", f"{words}; {rest:,} not" if rest else f"{words}; not all is seen")


def _known(known: Coverage) -> Progress | None:
    if not known.all:
        return None
    if known.at:
        age = f"as nodes read them by {when(known.at)}"
    else:
        age = f"no node has told lately; one last did at {when(known.last)}" if known.last else "no node has read any"
    return Progress("Mailboxes whose scripts were checked", known.checked, known.all, age)


def _export_form(request: Any, asked: Asked) -> Form:
    said = {"client": asked.client, "mechanism": asked.mechanism, "risk": asked.risk, "q": asked.search,
            "only": request.GET.get("only", "")}  # fmt: skip
    why = Field("why", "Why", "text", hint="Stands in the record.", required=True, maxlength=1000)
    hidden = tuple((name, value) for name, value in said.items() if value)
    return Form((why,), "Export", "/forwards/export/", icon="download", hidden=hidden)


@act(SHEET, step_up=ALWAYS, recorded=EXPORT)
def export(request: Any) -> Any:
    """All of them as a file; that it is taken out is an entry before it is made."""
    found = take_out(request.actor, _asked(request.POST), why=reason(request), fresh=fresh(request))
    answer = FileResponse(found.file, as_attachment=True, filename=found.name, content_type=found.type)
    answer["Cache-Control"] = "no-store"
    return answer
