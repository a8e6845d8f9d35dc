"""Access reviews and rosters: the rounds, and the lines of one, each as it stood, what is so now, what was answered."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render

from postroom.changes.kinds.rounds import of_its_own
from postroom.models import RoundLine
from postroom.models.rounds import ACCESS, ROSTER, THERE
from postroom.queries import rounds as queries
from postroom.queries.rounds import KINDS, Listed, Now, Shown
from postroom.web.door import page
from postroom.web.framed import freeze_notes
from postroom.web.lists import Narrow, is_id, scopes
from postroom.web.parts.forms import Answers, Field, Option
from postroom.web.parts.pages import AccessReviewsPage, ListPage, RostersPage
from postroom.web.parts.shapes import (
    Badge,
    BulkAct,
    Cell,
    Column,
    Crumb,
    Link,
    Note,
    PageHead,
    Row,
    Strong,
    Table,
    Words,
)
from postroom.web.times import when

PATHS = {ACCESS: "/access-reviews/", ROSTER: "/rosters/"}
TITLES = {ACCESS: "Access reviews", ROSTER: "Rosters"}
PAGES: Mapping[str, type[ListPage]] = {ACCESS: AccessReviewsPage, ROSTER: RostersPage}
SUBS = {
    ACCESS: "every quarter an approver signs, line by line, who may do what at a client",
    ROSTER: "every quarter a client says who of it is still there",
}
ROUNDS = (Column("Client"), Column("Quarter"), Column("State", phone="right"), Column("Answered"), Column("Due"))
RIGHTS = (
    Column("Right", phone="under"), Column("Where"), Column("Since"), Column("Given by"), Column("Last used then"),
    Column("Now"), Column("Signed"),
)  # fmt: skip
PEOPLE = (Column("Who"), Column("What", phone="under"), Column("Now"), Column("Answer", phone="right"))
ACTS = {
    ACCESS: (BulkAct("Keep", "keep", "check"), BulkAct("Change asked", "change", "pencil"),
             BulkAct("End…", "end", "ban", "asks")),
    ROSTER: (BulkAct("Still here", "here", "check"), BulkAct("Left", "left", "user-off"),
             BulkAct("Unknown", "unknown", "question-mark")),
}  # fmt: skip
SAID = {
    "keep": Badge("good", "stays"), "end": Badge("fact", "to end", "ban"), "change": Badge("warn", "change asked"),
    "here": Badge("good", "still here"), "left": Badge("warn", "left", "user-off"),
    "unknown": Badge("unknown", "unknown"),
}  # fmt: skip
NOT_YET = {ACCESS: Badge("waits", "not signed"), ROSTER: Badge("waits", "no answer")}
OPTIONS = {
    ACCESS: (Option("", "Every line"), Option("open", "Not signed"), Option("keep", "Stays"), Option("end", "To end"),
             Option("change", "Change asked")),
    ROSTER: (Option("", "Every line"), Option("open", "No answer"), Option("here", "Still here"),
             Option("left", "Left"), Option("unknown", "Unknown")),
}  # fmt: skip
NOT_KEPT = Badge("unknown", "not known here")
CLOSED = Note("This round is closed", "A later one is open; what was answered here stands in the record.", icon="lock")


@page("rounds.view")
def access_reviews(request: Any) -> HttpResponse:
    return _rounds(request, ACCESS)


@page("rounds.view")
def rosters(request: Any) -> HttpResponse:
    return _rounds(request, ROSTER)


@page("rounds.view")
def access_review(request: Any, review: UUID) -> HttpResponse:
    return shown(request, ACCESS, review)


@page("rounds.view")
def roster(request: Any, roster: UUID) -> HttpResponse:
    return shown(request, ROSTER, roster)


def _rounds(request: Any, sort: str) -> HttpResponse:
    narrow = Narrow(request, by_id=True)
    found = queries.rounds(request.actor, sort, client=narrow["client"], after=narrow.after)
    made = PAGES[sort](
        head=PageHead(TITLES[sort], SUBS[sort]), notes=freeze_notes(request), label=TITLES[sort],
        filters=narrow.filters(TITLES[sort], [narrow.select("client", "Client", scopes(request))]),
        table=Table(TITLES[sort], ROUNDS, tuple(_round(one) for one in found.items), dense=True),
        pager=narrow.pager([one.round.quarter for one in found.items], found.next),
        empty=None if found.items else narrow.nothing(sort, "It opens by itself with the quarter.", "checklist"),
    )  # fmt: skip
    return render(request, "rounds.html", {"page": made})


def _round(one: Listed) -> Row:
    round = one.round
    return Row((
        Link(round.client.name, f"{PATHS[round.sort]}{round.pk}/", strong=True), round.quarter, standing(one), far(one),
        when(round.due_at),
    ), name=f"{round.client.name} {round.quarter}")  # fmt: skip


def standing(one: Listed) -> Badge:
    """How it is with a round. One with *unknown* lines is never done, nor one whose lines are not for who asks."""
    if not one.lines:
        return Badge("unknown", "lines not seen")
    if one.closed:
        return Badge("fact", "closed", "lock") if one.done else Badge("warn", "closed, not all answered")
    if one.late:
        return Badge("bad", f"late since {when(one.round.due_at)}")
    if one.left:
        return Badge("waits", "waits for answers")
    return Badge("unknown", f"{one.unknown} unknown") if one.unknown else Badge("good", "done")


def far(one: Listed) -> str:
    return f"{one.lines - one.left} of {one.lines} answered" + (f", {one.unknown} unknown" if one.unknown else "")


def shown(request: Any, sort: str, id: UUID, *, wrong: str = "", status: int = 200) -> HttpResponse:
    """One round with a page of its lines. wrong: what an answer lacked."""
    narrow = Narrow(request)
    about = queries.one(request.actor, sort, id)
    after = narrow["after"] if is_id(narrow["after"]) else ""
    search = "" if narrow.too_short else narrow.typed
    asked = narrow["state"] if narrow["state"] in queries.STATES else ""
    found = queries.lines(request.actor, about.round, state=asked, search=search, after=after)
    may = request.access.can(KINDS[sort], about.round.client_id) and not about.closed
    row = _right if sort == ACCESS else _there
    made = PAGES[sort](
        head=_head(about), notes=(*_wrong(wrong), *_notes(request, about), *narrow.notes(),
                                  *freeze_notes(request, about.round.client_id)),
        label="Lines", filters=narrow.filters("Lines", [narrow.select("state", "Answer", OPTIONS[sort])]),
        table=Table("Lines", RIGHTS if sort == ACCESS else PEOPLE, tuple(row(request, one, may) for one in found.items),
                    bulk=_bulk(request, about, narrow) if may else None, dense=True, high=True),
        pager=narrow.pager([one.line.name for one in found.items], found.next),
        empty=None if found.items else narrow.nothing("line", "", "checklist"),
    )  # fmt: skip
    return render(request, "round.html", {"page": made}, status=status)


def _head(about: Listed) -> PageHead:
    round = about.round
    title = f"{round.sort.capitalize()} of {round.client.name}, {round.quarter}"
    return PageHead(
        title, (f"{far(about)} · opened {when(round.opened_at)} · due {when(round.due_at)} ·",
                Link(round.client.name, f"/clients/{round.client.slug}/")),
        crumbs=(Crumb(TITLES[round.sort], PATHS[round.sort]),), badges=(standing(about),),
    )  # fmt: skip


def _wrong(words: str) -> tuple[Note, ...]:
    return (Note(words, "Nothing was changed.", "bad", alert=True),) if words else ()


def _notes(request: Any, about: Listed) -> tuple[Note, ...]:
    if about.closed:
        return (CLOSED,)
    sort = about.round.sort
    if not request.access.can(KINDS[sort], about.round.client_id):
        who = "An approver signs it" if sort == ACCESS else "The client’s own admins answer it"
        return (Note(f"{who}; you read along", "What is answered here stands in the client’s record.", icon="eye"),)
    if sort == ACCESS:
        return ()
    if not own(request, about):
        words = "What you enter here was told to you: say by whom. The line shows that it was entered for the client."
        return (Note("The client’s own admins answer this", words, "warn", "user-check"),)
    return ()


def own(request: Any, about: Listed) -> bool:
    """Whether who asks is one of the client's own people, as far as their role says."""
    return of_its_own(request.access, about.round.client_id)


def _bulk(request: Any, about: Listed, narrow: Narrow) -> Answers:
    round = about.round
    verb, noun = ("sign", "rights") if round.sort == ACCESS else ("answer", "lines")
    must = round.sort == ACCESS or not own(request, about)
    label = "Why" if round.sort == ACCESS else "Told by whom" if must else "Note"
    note = Field("why", label, required=must, maxlength=1000, html_id="f-line-why")
    says = "each line is signed by itself, with your name and what you saw" if round.sort == ACCESS else (
        "nothing is suspended by an answer; it can be corrected")  # fmt: skip
    url = f"{PATHS[round.sort]}{round.pk}/{verb}/{narrow.url(after=narrow['after'])}"
    return Answers(url, "line", ACTS[round.sort], noun, says, note)


def _right(request: Any, one: Shown, may: bool) -> Row:
    line, stood = one.line, one.line.stood
    reason = stood.get("reason") or one.now.reason or ""
    sealed = Badge("waits", "sealed login", "lock") if stood.get("sealed") else ""
    where = stood.get("domain") or (request.around.organization if stood["where"] == "organization" else "this client")
    given = stood.get("given_by") or one.now.given_by or Badge("fact", "not said", "user-off")
    until = when(stood.get("until"))
    return Row((
        Cell((Strong(line.name), sealed), reason), where,
        Cell(when(stood["since"]), f"until {until}" if until else "no end"),
        given if line.noun != "api_tokens" else "", _used(line), _now(one.now), _answer(one, NOT_YET[ACCESS]),
    ), value=str(line.pk) if may and not one.own else "", name=line.name)  # fmt: skip


def _used(line: RoundLine) -> Words | Cell:
    """When it was used last, as it was known when the review opened. A line does not hold when a token of the
    organization's own was: its client may not know that, and unknown is not never.
    """
    stood: Mapping[str, Any] = line.stood
    if line.noun == "delegations":
        return Badge("unmeasured", "not measured")
    if line.noun == "api_tokens" and "token_used" not in stood:
        return NOT_KEPT
    said = {"changed something here": stood.get("changed"), "signed in": stood.get("signed_in"),
            "by its program": stood.get("token_used")}  # fmt: skip
    newest = max((at for at in said.values() if at), default="")
    words = next((words for words, at in said.items() if at and at == newest), "")
    return Cell(when(newest), words) if newest else Badge("fact", "never here", "user-off")


def _there(request: Any, one: Shown, may: bool) -> Row:
    line, stood = one.line, one.line.stood
    path = f"/{line.noun}/{line.name}/"
    gone = one.now.stands is False
    return Row((
        Cell(Link(line.name, path, strong=True), stood.get("name") or ""),
        "sign-in to Postroom" if line.noun == "people" else f"{stood.get('kind')} mailbox", _now(one.now),
        Badge("fact", "needs no answer") if gone and not line.answer else _answer(one, NOT_YET[ROSTER]),
    ), value=str(line.pk) if may else "", name=line.name)  # fmt: skip


def _now(now: Now) -> Words:
    """What changed since it opened; nothing where it stands as it did. What is not seen is not called the same."""
    if now.stands is None:
        return Badge("unknown", "not seen")
    if now.stands is False:
        return Badge("fact", f"{now.words} {when(now.at)}".strip(), "ban")
    return Badge("warn", f"{now.words} {when(now.at)}".strip()) if now.words else "as it was"


def _answer(one: Shown, none: Badge) -> Words | Cell:
    line = one.line
    if not line.answer:
        return (none, "yours: somebody else signs it") if one.own and line.noun not in THERE else none
    told = ", as told to them" if line.on_behalf else ""
    stands = Badge("bad", "and stands") if line.answer == "end" and one.now.stands else ""
    return Cell((SAID[line.answer], stands), f"{line.note} · {one.by}{told}, {when(line.answered_at)}")
