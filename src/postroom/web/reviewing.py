"""Looking at what went through at once: an approver who did not do it says what they found. Changes no state."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse, HttpResponseRedirect

from postroom.access.acting import acting_as
from postroom.changes.approvals import seen
from postroom.changes.reviews import close_all, left
from postroom.models import Change, Review
from postroom.web.deciding import LONGEST, sure
from postroom.web.door import act, by_method, page
from postroom.web.lists import reason
from postroom.web.parts.forms import Field, Form
from postroom.web.times import when


@page("changes.approve")
def ask(request: Any, change: UUID) -> HttpResponse:
    return _ask(request, change, "")


@act("changes.approve")
def close(request: Any, change: UUID) -> HttpResponse:
    found = reason(request)
    if not found:
        with acting_as(request.actor):
            return _ask(request, change, "Say what you found; it stands in the record")
    close_all(change, actor=request.actor, why=found)
    return HttpResponseRedirect(f"/changes/{change}/")


def _ask(request: Any, change: UUID, wrong: str) -> HttpResponse:
    """What was found: asked before a review is closed."""
    row = Change.objects.select_related("proposer").get(pk=seen(change).pk)
    reviews = Review.objects.filter(pk__in=left(row, request.access)).order_by("id")
    found = Field("why", "What you found", "textarea", error=wrong, required=True, maxlength=LONGEST,
                  hint="Stands in the record, beside who did it and why.")  # fmt: skip
    words = (*(f"{one.reason} · due {when(one.until)}" for one in reviews),
             "Nothing is changed by this. What should not stay is undone on the page of the change.")  # fmt: skip
    form = Form((found,), "Close the review", f"/changes/{change}/review/", icon="eye")
    return sure(request, row, ("Review", "Have you looked at it?", "Leave it open"), words, form)


reviewing = by_method(GET=ask, POST=close)
