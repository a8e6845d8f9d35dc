"""Signing and answering chosen lines of a round. Each line is an edit of its own, however many were chosen together."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from postroom.access.acting import acting_as
from postroom.access.scope import visible
from postroom.changes.errors import NothingToDo
from postroom.changes.kind import KINDS
from postroom.changes.pipeline import submit
from postroom.models import RoundLine
from postroom.models.rounds import ACCESS, ROSTER
from postroom.queries import rounds as queries
from postroom.web.door import act, arrived
from postroom.web.lists import Narrow, is_id, reason
from postroom.web.parts.change_pages import ConfirmPage
from postroom.web.parts.forms import Confirm, Form
from postroom.web.parts.shapes import Act, Crumb, PageHead
from postroom.web.rounds import PATHS, TITLES, own, shown

MOST = 500
WENT = ("applied", "verified")


@act("access_reviews.sign")
def sign(request: Any, review: UUID) -> HttpResponse:
    """Why is always asked; what is signed to end is asked for once more, by name."""
    if not reason(request):
        return _again(request, ACCESS, review, "Say why: it stands beside each line, and in the record")
    if request.POST.get("act") == "end" and request.POST.get("step") != "send":
        return _sure(request, review)
    return _answered(request, ACCESS, review, reason(request))


@act("rosters.answer")
def answer(request: Any, roster: UUID) -> HttpResponse:
    why = reason(request)
    with acting_as(request.actor):
        about = queries.one(request.actor, ROSTER, roster)
        mine = own(request, about)
    if not why and not mine:
        return _again(request, ROSTER, roster, "Say who of the client told you")
    return _answered(request, ROSTER, roster, why or f"asked by the roster of {about.round.quarter}")


def _answered(request: Any, sort: str, round: UUID, why: str) -> HttpResponse:
    chosen, said = _lines(request), str(request.POST.get("act", ""))
    if said not in queries.ANSWERS[sort]:
        raise Http404("no such answer")
    if not chosen:
        return _again(request, sort, round, "Choose the lines that this is the answer for")
    kind = KINDS[queries.KINDS[sort]]
    parts = [kind.model_validate({"line": line, "answer": said}) for line in chosen]
    narrow = Narrow(request)
    here = HttpResponseRedirect(f"{PATHS[sort]}{round}/{narrow.url(after=narrow['after'])}")
    try:
        change = submit(parts, actor=request.actor, why=why)
    except NothingToDo:  # the button was pressed twice
        return here
    return here if change.stage in WENT else arrived(request, change)


def _lines(request: Any) -> list[str]:
    return [line for line in request.POST.getlist("line")[:MOST] if is_id(line)]


def _again(request: Any, sort: str, round: UUID, wrong: str) -> HttpResponse:
    with acting_as(request.actor):
        return shown(request, sort, round, wrong=wrong, status=422)


def _sure(request: Any, review: UUID) -> HttpResponse:
    """What ends, at which client, before it does."""
    with acting_as(request.actor):
        about = queries.one(request.actor, ACCESS, review)
        rows = visible(request.actor, RoundLine).filter(round=review, pk__in=_lines(request)).order_by("id")
        return _asked(request, about, list(rows))


def _asked(request: Any, about: queries.Listed, rows: Sequence[RoundLine]) -> HttpResponse:
    if not rows:
        return shown(request, ACCESS, about.round.pk, wrong="Choose the lines that this is the answer for", status=422)
    path, client = f"{PATHS[ACCESS]}{about.round.pk}/", about.round.client.name
    many = "1 right" if len(rows) == 1 else f"{len(rows)} rights"
    everywhere = [row.name for row in rows if row.stood["where"] == "organization"]
    what = [f"At {client}: {', '.join(row.name for row in rows)}.",
            "What it allowed stops at once. An undo does not bring it back; it is given again."]  # fmt: skip
    what += [f"Held at the whole organization, so it ends everywhere: {', '.join(everywhere)}."] if everywhere else []
    hidden = (("act", "end"), ("step", "send"), ("why", reason(request)), *(("line", str(row.pk)) for row in rows))
    form = Form((), "Sign, and end it", f"{path}sign/{Narrow(request).url()}", "danger", "ban", hidden=hidden)
    page = ConfirmPage(
        head=PageHead(f"End {many} at {client}", crumbs=(Crumb(TITLES[ACCESS], PATHS[ACCESS]),)),
        confirm=Confirm(f"End {many}?", tuple(what), form, Act("Leave it as it is", path)),
    )
    return render(request, "confirm.html", {"page": page})
