"""A verified reset, on one page: its clock, what is proven and what is missing, the channels with their grade, and the
field for a code that a caller reads out. What was sent is on no page.
"""

from typing import Any
from uuid import UUID

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from postroom.access.acting import acting_as
from postroom.access.declared import ALWAYS
from postroom.access.scope import visible
from postroom.changes import step_up
from postroom.changes.kind import KINDS
from postroom.changes.pipeline import submit
from postroom.models import Change, Verification
from postroom.models.verifying import CODE_DIGITS, GOOD_FOR, TRIES
from postroom.queries.verifying import Session, session
from postroom.web import verifying_parts as parts
from postroom.web.door import act, page
from postroom.web.framed import freeze_notes
from postroom.web.parts.forms import Field, Form
from postroom.web.parts.shapes import Act, Badge, Crumb, Link, Note, PageHead
from postroom.web.parts.verifying_pages import VerificationPage
from postroom.web.step_up import fresh
from postroom.web.times import when

GOES_BACK = (
    "resets.record_call", "resets.vouch", "resets.end", "resets.ask_code", "resets.declare_emergency",
    "resets.waive_wait",
)  # fmt: skip


@page("verifications.view", recorded="mailboxes")
def verification(request: Any, which: UUID) -> HttpResponse:
    return shown(request, which)


@act("resets.ask_code", step_up=ALWAYS)
def ask(request: Any, which: UUID) -> HttpResponse:
    """Mail a code to the channel of the pressed button."""
    channel = str(request.POST.get("channel", ""))[:100]
    kind = KINDS["resets.ask_code"].model_validate({"verification": str(which), "channel": channel or "none"})
    step_up.before([kind], actor=request.actor, fresh=fresh(request))
    return _done(request, which, submit(kind, actor=request.actor, why=_why(request, which)))


@act("resets.enter_code")
def enter(request: Any, which: UUID) -> HttpResponse:
    """What was typed goes to the kind as it came, whatever it is: every try is an entry."""
    asked = {"verification": str(which), "said": str(request.POST.get("said", ""))}
    kind = KINDS["resets.enter_code"].model_validate(asked)
    return _done(request, which, submit(kind, actor=request.actor, why=_why(request, which)))


def _why(request: Any, which: UUID) -> str:
    with acting_as(request.actor):
        return f"verified reset, ticket {session(request.actor, which).row.ticket}"[:1000]


def _done(request: Any, which: UUID, change: Change) -> HttpResponse:
    if change.version is not None:
        return HttpResponseRedirect(f"/resets/{which}/")
    said = "; ".join(verdict["reason"] for verdict in change.verdicts) or f"it is {change.stage}"
    with acting_as(request.actor):
        note = Note("Nothing was proven", f"{said}. That it was tried stands in the record.", "bad", alert=True)
        return shown(request, which, note, status=409)


def onward(request: Any, change: Change) -> HttpResponse | None:
    """From what was just done in a verification, back to its page; None for anything else."""
    if change.version is None or isinstance(change.params, list):
        return None
    if change.kind in GOES_BACK:
        return HttpResponseRedirect(f"/resets/{change.params['verification']}/")
    if change.kind != "resets.start":
        return None
    with acting_as(request.actor):
        rows = visible(request.actor, Verification).filter(made=change.now, started_by=request.actor.person)
        found = rows.order_by("-id").first()
    return HttpResponseRedirect(f"/resets/{found.pk}/") if found else None


def shown(request: Any, which: UUID, *notes: Note, status: int = 200) -> HttpResponse:
    found = session(request.actor, which)
    request.opened = found.row.mailbox
    said = VerificationPage(
        head=_head(request, found),
        notes=(*notes, *_notes(request, found), *freeze_notes(request, found.row.client_id)),
        timers=parts.timers(found), proven=parts.proven(found), missing=parts.missing(found),
        channels=parts.channels(request, found), givers=parts.givers(found), facts=parts.facts(found),
        form=_form(found) if found.code and found.waits and parts.may(request, found, "resets.enter_code") else None,
        sent=parts.sent(found),
    )  # fmt: skip
    return render(request, "verification.html", {"page": said}, status=status)


def _head(request: Any, found: Session) -> PageHead:
    row, box = found.row, found.row.mailbox
    acts: list[tuple[str, Act]] = []
    if row.releases(found.now) and found.waiting is None:
        send = Act("Send the link", f"/do/resets.send_link/?verification={row.pk}", "send", "primary")
        acts.append(("resets.send_link", send))
    if not row.ended_at and not row.used_at:
        acts.append(("resets.end", Act("End…", f"/do/resets.end/?verification={row.pk}", "x", "asks")))
    return PageHead(
        f"Is it the owner of {box.label}?",
        f"ticket {row.ticket}, started by {found.name(row.started_by_id)} at {when(row.made)}",
        crumbs=(Crumb("Mailboxes", "/mailboxes/"), Crumb(box.label, f"/mailboxes/{box.label}/")),
        badges=(_state(found), *((Badge("fact", "VIP", "star"),) if box.vip else ()),
                *((Badge("fact", "said to be urgent"),) if row.urgent else ())),
        acts=tuple(one for permission, one in acts if parts.may(request, found, permission)),
    )  # fmt: skip


def _state(found: Session) -> Badge:
    row, at = found.row, found.now
    if row.used_at:
        return Badge("good", f"its link was released {when(row.used_at)}")
    if found.locked:
        return Badge("bad", f"locked until {when(found.locked)} UTC", "lock")
    if row.ended_at:
        return Badge("fact", f"ended {when(row.ended_at)}", "x")
    if row.releases(at) and row.passed_at:
        return Badge("good", f"proven; its link may be sent until {when(row.passed_at + GOOD_FOR)} UTC")
    if row.over(at):
        return Badge("warn", "its time is over")
    return Badge("waits", f"{len(found.given)} of {found.needed} proven", "hourglass")


def _notes(request: Any, found: Session) -> tuple[Note, ...]:
    notes: list[Note] = []
    if found.locked:
        said = f"{TRIES} answers were wrong within an hour, so nothing is proven here until then. Every owner is told."
        notes.append(Note(f"Locked until {when(found.locked)} UTC", said, "bad", "lock"))
    if found.waiting:
        way = ("It goes when a second person has agreed and the time to object is over.",
               Link("See the change", f"/changes/{found.waiting.pk}/"))  # fmt: skip
        notes.append(Note("Its link waits", way, "warn", "clock-pause"))
        notes += parts.emergency(request, found)
    if found.hidden:
        notes.append(Note("Part of this is not yours to see", f"Not shown: {', '.join(found.hidden)}.", "warn"))
    return tuple(notes)


def _form(found: Session) -> Form:
    row = found.row
    field = Field("said", "What the caller reads out", hint=f"{CODE_DIGITS} digits. Each try is recorded; {TRIES} "
                  "wrong ones within an hour lock this mailbox for an hour.", required=True, inputmode="numeric",
                  maxlength=40)  # fmt: skip
    return Form((field,), "Is it right?", f"/resets/{row.pk}/code/", icon="check")
