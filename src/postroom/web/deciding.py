"""What people do with a change or a batch that waits: approve, withdraw, plan again. POST alone changes anything."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from postroom.access.acting import acting_as
from postroom.access.declared import SOMETIMES
from postroom.changes import approvals, step_up
from postroom.changes.approvals import seen
from postroom.changes.batch import approve_batch, undo_batch, withdraw_batch
from postroom.models import Change
from postroom.web.door import act, arrived, by_method, page
from postroom.web.lines import by
from postroom.web.lists import reason
from postroom.web.parts.change_pages import ConfirmPage
from postroom.web.parts.forms import Confirm, Field, Form
from postroom.web.parts.shapes import Act, Crumb, PageHead
from postroom.web.step_up import fresh
from postroom.web.titles import title

LONGEST = 1000


@act("changes.view", step_up=SOMETIMES)
def approve(request: Any, change: UUID) -> HttpResponse:
    """Exactly the plan whose hash the form carried; who may approve it, its kind says."""
    step_up.before_approving(change, actor=request.actor, fresh=fresh(request))
    done = approvals.approve(change, actor=request.actor, plan_hash=str(request.POST.get("plan_hash", "")))
    return arrived(request, done)


@page("changes.view")
def ask_withdraw(request: Any, change: UUID) -> HttpResponse:
    return _ask(request, change, "")


@act("changes.view")
def withdraw(request: Any, change: UUID) -> HttpResponse:
    why = reason(request)
    if not why:
        with acting_as(request.actor):
            return _ask(request, change, "Say why; it stands in the record")
    approvals.withdraw(change, actor=request.actor, why=why)
    return HttpResponseRedirect(f"/changes/{change}/")


@act("changes.view", step_up=SOMETIMES)
def replan(request: Any, change: UUID) -> HttpResponse:
    """A new change of the same, planned now; on to its page."""
    step_up.before_planning_again(change, actor=request.actor, fresh=fresh(request))
    made = approvals.replan(change, actor=request.actor, why=reason(request))
    return arrived(request, made)


def _ask(request: Any, change: UUID, wrong: str) -> HttpResponse:
    """Why not: asked before a change is taken back."""
    why = Field("why", "Why", "textarea", hint="Stands in the record; whoever asked for it reads this.", error=wrong,
                required=True, maxlength=LONGEST)  # fmt: skip
    form = Form((why,), "Withdraw it", f"/changes/{change}/withdraw/", weight="danger", icon="x")
    row = Change.objects.select_related("proposer").get(pk=seen(change).pk)
    words = ("Nothing was changed, and nothing will be. It can be planned again.",)
    return sure(request, row, ("Withdraw", "Withdraw this change?", "Keep it waiting"), words, form)


def sure(request: Any, row: Change, says: tuple[str, str, str], words: Iterable[str], form: Form) -> HttpResponse:
    """A page between a change and what is done with it. says: the verb, the question, the way back."""
    verb, question, leave = says
    said, path = title(row.kind, row.params), f"/changes/{row.pk}/"
    who = {"name": row.proposer.name} if row.proposer else None
    line = {"proposer": who, "actor": row.actor, "why": row.why, "ticket": row.ticket}
    shown = ConfirmPage(
        head=PageHead(f"{verb}: {said}", crumbs=(Crumb("Changes", "/changes/"), Crumb(said, path))),
        confirm=Confirm(question, (by(line), *words), form, Act(leave, path)),
    )
    wrong = any(field.error for field in form.fields)
    return render(request, "confirm.html", {"page": shown}, status=422 if wrong else 200)


@act("changes.approve", step_up=SOMETIMES)
def approve_all(request: Any, batch: UUID) -> HttpResponse:
    step_up.before_approving_all(batch, actor=request.actor, fresh=fresh(request))
    approve_batch(batch, actor=request.actor, plan_hash=str(request.POST.get("plan_hash", "")))
    return HttpResponseRedirect(f"/batches/{batch}/")


@act("changes.view")
def withdraw_all(request: Any, batch: UUID) -> HttpResponse:
    if why := reason(request):
        withdraw_batch(batch, actor=request.actor, why=why)
    return HttpResponseRedirect(f"/batches/{batch}/")


@act("changes.view", step_up=SOMETIMES)
def undo_all(request: Any, batch: UUID) -> HttpResponse:
    why = reason(request)
    if not why:
        return HttpResponseRedirect(f"/batches/{batch}/")
    step_up.before_undoing_all(batch, actor=request.actor, fresh=fresh(request))
    made = undo_batch(batch, actor=request.actor, why=why)
    return HttpResponseRedirect(f"/batches/{made.pk}/")


post_approve, post_replan = by_method(POST=approve), by_method(POST=replan)
withdrawing = by_method(GET=ask_withdraw, POST=withdraw)
post_approve_all, post_withdraw_all, post_undo_all = (
    by_method(POST=view) for view in (approve_all, withdraw_all, undo_all)
)
