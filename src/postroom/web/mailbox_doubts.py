"""*I do not know this*: a mailbox's owner says so of one entry; then what makes the mailbox theirs alone again."""

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from pydantic import ValidationError

from postroom.access.acting import acting_as
from postroom.changes.errors import NothingToDo, Problems
from postroom.changes.kind import KINDS
from postroom.changes.pipeline import submit
from postroom.queries.owning import Happened, one_of
from postroom.web.door import by_method
from postroom.web.mailbox_door import Asked, mailbox_act, mailbox_page, reasons, told
from postroom.web.mailbox_sessions import HERE as SESSIONS
from postroom.web.mailbox_sessions import ITEMS
from postroom.web.mailbox_story import item
from postroom.web.parts.forms import Form
from postroom.web.parts.plain_pages import OwnerForm, OwnerParts, Part
from postroom.web.parts.shapes import Act, Item

RECORD = "/mailbox/record/"
LEAD = "{client} and whoever runs its mail look into it, and you read here what they found out. It undoes nothing."
RAISED = "They look into it. Until they have, you can make sure that nobody else is in your mailbox."
UNASKED = "If somebody else may be in your mailbox, do these, one after the other."
GONE = "It is no entry about your mailbox."
STEPS = (
    ("1. Sign out everywhere else", "whoever is in now is out, on every device but this one", "player-stop",
     Act("Sign out", SESSIONS, method="post", of="everywhere else", hidden=(("safe", "yes"),))),
    ("2. Choose another password", "nobody gets in with the one that they may know", "lock",
     Act("Choose", "/mailbox/password/", of="another password")),
    ("3. End app passwords, and mail apps that were let in, that you do not know",
     "each is for one device; an end stops that device alone", "key",
     Act("Look", "/mailbox/#app-passwords", of="at the app passwords and mail apps")),
    ("4. Look at your ways back in", "an address or number that is not yours lets somebody else back in",
     "first-aid-kit", Act("Look", "/mailbox/#ways-back", of="at the ways back in")),
    ("5. Make another recovery code", "the one that somebody may have found is void", "key",
     Act("Make one", "/mailbox/code/", of="another recovery code")),
)  # fmt: skip


@mailbox_page
def ask(request: Asked) -> HttpResponse:
    """Looking changes nothing: the button does."""
    found = _asked_for(request)
    if found is None:
        return told(request, "Nothing to say of it", GONE, status=404)
    page = OwnerForm(
        organization="", client=request.own.client_name, title="You do not know this?",
        lead=LEAD.format(client=request.own.client_name), items=(item(found),), back=Act("I do know it", RECORD),
        form=Form((), "I do not know it", f"/mailbox/doubt/?entry={found.entry}"),
    )  # fmt: skip
    return render(request, "owner/form.html", {"page": page})


@mailbox_act()
def say(request: Asked) -> HttpResponse:
    try:
        kind = KINDS["doubts.raise"].model_validate({"entry": request.GET.get("entry", "")})
        done = submit(kind, actor=request.actor, why="its owner does not know it")
    except NothingToDo:
        return _steps(request, RAISED)
    except ValidationError:
        return told(request, "Nothing was said", GONE, status=404)
    except Problems as problems:
        return told(request, "Nothing was said", *(one.what for one in problems.problems), status=409)
    if done.version is None:
        return told(request, "Nothing was said", reasons(done), status=409)
    return _steps(request, RAISED)


@mailbox_page
def safe(request: Asked) -> HttpResponse:
    return _steps(request, UNASKED)


def _steps(request: Asked, lead: str) -> HttpResponse:
    rows = tuple(Item(title, sub, icon=icon, acts=(act,)) for title, sub, icon, act in STEPS)
    page = OwnerParts(organization="", client=request.own.client_name, title="Make your mailbox yours alone", lead=lead,
                      parts=(Part("Five steps", ITEMS, rows),))  # fmt: skip
    return render(request, "owner/parts.html", {"page": page})


def _asked_for(request: Asked) -> Happened | None:
    number = request.GET.get("entry", "")
    if not (number.isascii() and number.isdecimal() and len(number) < 19):
        return None
    with acting_as(request.actor):
        return one_of(request.actor, int(number))


URLS: list[URLPattern] = [
    path("mailbox/doubt/", by_method(GET=ask, POST=say), name="own-doubt"),
    path("mailbox/safe/", by_method(GET=safe), name="own-safe"),
]
