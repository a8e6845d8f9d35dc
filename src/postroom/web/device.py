"""Confirming a terminal: its person types the code it shows, where they are signed in with both factors."""

from typing import Any

from allauth.mfa.utils import is_mfa_enabled
from django.http import HttpResponse
from django.shortcuts import render

from postroom.access import throttle
from postroom.access.declared import SIGN_IN, SOMETIMES
from postroom.access.devices import confirm, waiting
from postroom.changes import step_up
from postroom.changes.errors import StepUp
from postroom.web.door import act, by_method
from postroom.web.often import too_many
from postroom.web.parts.change_pages import FormPage
from postroom.web.parts.forms import Field, Form
from postroom.web.parts.shapes import Note, PageHead
from postroom.web.step_up import BY_LINK, SSO_FACTOR, fresh

NO_GOOD = "No terminal waits with this code. It lives for ten minutes and works once."


@act("changes.view", recorded="")
def ask(request: Any) -> HttpResponse:
    return _page(request, request.GET.get("code", ""))


@act("changes.view", step_up=SOMETIMES, recorded=SIGN_IN)
def confirmed(request: Any) -> HttpResponse:
    """Type the code; then say yes to the terminal it belongs to."""
    typed = request.POST.get("code", "")
    try:
        throttle.TYPED(request.actor.person)
    except throttle.TooMany as error:
        return too_many(request, error)
    if request.POST.get("sure"):
        if not fresh(request):  # the session that comes of it counts as stepped up
            raise StepUp(step_up.SENSITIVE)
        done = confirm(typed, request.actor.person, _factor(request))
        return _page(request, "", done=done) if done else _page(request, typed, error=NO_GOOD)
    label = waiting(typed)
    return _page(request, typed, error=NO_GOOD) if label is None else _page(request, typed, label=label or "a terminal")


def _factor(request: Any) -> str:
    """The second factor this sign-in was made with; an operator's session at the API is worth nothing without."""
    if request.session.get(BY_LINK):
        return "printed link, both factors counted as done"
    if request.session.get(SSO_FACTOR):
        return "the provider's second factor, in the browser"
    return "second factor, in the browser" if is_mfa_enabled(request.user) else ""


def _page(request: Any, typed: str, *, error: str = "", label: str = "", done: bool = False) -> HttpResponse:
    notes = [Note("Signed in", "The terminal has its session; it lasts twelve hours.")] if done else []
    if label:
        notes = [
            Note(f"{label} asks for a session of yours", "Go on only if you have just typed postroom login there.")
        ]
    code = Field(name="code", label="The code the terminal shows", value=typed, error=error, required=True)
    hidden = (("sure", "yes"),) if label else ()
    form = Form(fields=(code,), submit="Give it my session" if label else "Look it up", url="/device/", hidden=hidden)
    page = FormPage(head=PageHead("Sign in a terminal"), notes=tuple(notes), form=form)
    return render(request, "link_form.html", {"page": page}, status=422 if error else 200)


device = by_method(GET=ask, POST=confirmed)
