"""A mailbox's owner reads where their mail goes on to, and asks for it to go on: inside at once, outside when somebody
else has agreed.

To ask takes the password as it is now: whoever only finds a browser signed in leads no mail away. To stop it, for now
or for good, and to take back what waits, only closes, so nothing is asked with it.
"""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path
from pydantic import ValidationError

from postroom.access.acting import acting_as
from postroom.changes.approvals import withdraw
from postroom.changes.errors import NotSeen, NotThere, Problems
from postroom.changes.kind import KINDS
from postroom.models import Forward
from postroom.queries.own_routes import Sent, own_routes
from postroom.queries.owning import Onward, Waiting, onward, waiting
from postroom.web.door import by_method
from postroom.web.mailbox_app_passwords import last_second
from postroom.web.mailbox_door import PAGE, Asked, done, mailbox_act, mailbox_page, told
from postroom.web.mailbox_secrets import PRESENT, proven
from postroom.web.parts.forms import Field, Form
from postroom.web.parts.plain_pages import OwnerForm, Part
from postroom.web.parts.shapes import Act, Badge, Code, Item, Words
from postroom.web.times import when

HERE, ITEMS = "/mailbox/forwards/", "owner/parts/items.html"
BACK = Act("Not now", PAGE)
MOST = 5  # that wait at a time
ASK = (
    "Mail that comes to you goes there too, until the day that you name. To an address of your organization at once; "
    "to any other when somebody who runs your mail has agreed, and never where that is forbidden."
)
HELD = "Nothing goes there before somebody who runs your mail has agreed. You can take it back on your page until then."
GONE = "It has ended, or was decided already."
TWICE = "You asked for that already; it waits for somebody to agree."
MANY = f"{MOST} wait already: they are answered first."
FIELDS = ("to", "until", "why", "old")
Wrong = dict[str, str]


def part(request: Asked) -> Part:
    """Where its mail goes on to, each until when; what waits; and the way to ask for more."""
    found, routes = onward(request.actor, request.own.address_id), own_routes(request.actor)
    by_filter = {one.to for one in routes.sent}
    rows = [_item(one) for one in found if one.by or one.handed or one.to not in by_filter]
    rows += [_by_filter(one) for one in routes.sent]
    if routes.unknown:
        rows.append(Item((Badge("unknown", "unknown"), "what your filters pass on"), routes.unknown, "warn"))
    none = Item("Nothing passes your mail on", "to another address", icon="arrow-forward-up")
    if routes.unknown and len(rows) == 1:
        none = Item("No forward passes your mail on", "to another address", icon="arrow-forward-up")
        rows = [none, *rows]
    rows = [*(rows or [none]), *map(_waits, waiting(request.actor))]
    ask = Act("Ask for it", f"{HERE}new/", of="mail to go on to another address")
    rows.append(Item("Pass your mail on", "to another address, until a day", icon="plus", acts=(ask,)))
    return Part("Where your mail goes on to", ITEMS, tuple(rows), "forwards")


HANDED = "all your mail is handed to that mail server, and none of it lands here"


def _item(one: Onward) -> Item:
    words = f"{HANDED if one.handed else _passed(one.by)}, until {when(one.until)} UTC"
    return Item(("To", Code(one.to)), words, "warn", icon="arrow-forward-up", acts=tuple(_acts(one)))


def _by_filter(one: Sent) -> Item:
    to: Words = ("To", Code(one.to)) if one.to else "To where it works out"
    look = Act("Open", "/mailbox/filters/", of="filters and automatic answer")
    words = f"by your filter: {sends(one)}"
    return Item(to, words, "warn" if one.goes else "plain", icon="arrow-forward-up", acts=(look,))


def sends(one: Sent) -> str:
    """What comes of a redirect of the filter in force."""
    if not one.to:
        return "outside it goes only while an exception lets it; until then that mail stays here"
    if not one.goes:
        return "the mail server sends nothing there, and that mail stays here"
    which = "some of your mail" if one.sometimes else "your mail"
    where = "to a colleague" if one.colleague else "outside, as long as it is allowed"
    return f"{which} goes there, {where}, {'and a copy stays here' if one.keeps else 'not here'}"


def _acts(one: Onward) -> Iterator[Act]:
    if one.by is None:
        return
    which = (("forward", str(one.by.pk)),)
    if one.by.disabled_at is None:
        yield Act("Stop for now", f"{HERE}disable/", method="post", of=one.to, hidden=which)
    yield Act("End", f"{HERE}end/", method="post", weight="asks", of=one.to, hidden=which)


def _waits(one: Waiting) -> Item:
    take = Act("Take back", f"{HERE}withdraw/", method="post", of=one.to, hidden=(("change", str(one.change)),))
    words = f"asked for {when(one.asked)} UTC, until {when(one.until)} UTC; nothing goes there before somebody agreed"
    return Item(("To", Code(one.to)), words, icon="clock", acts=(take,), badge=Badge("waits", "waits"))


def _passed(by: Forward | None) -> str:
    if by is None:
        return "a filter of yours may send mail there"
    if by.disabled_at:
        return "disabled: nothing goes there now"
    return "your mail goes there, and a copy stays here" if by.address.keep_copy else "your mail goes there, not here"


@mailbox_page
def asking(request: Asked) -> HttpResponse:
    return _new(request, {})


@mailbox_act()
def ask(request: Asked) -> HttpResponse:
    to, why = request.POST.get("to", ""), request.POST.get("why", "").strip()
    asked = {
        "address": request.own.address, "to": to, "keep_copy": "keep_copy" in request.POST,
        "until": last_second(request.POST.get("until", "")),
    }  # fmt: skip
    try:
        kind = KINDS["forwards.create"].model_validate(asked)
    except ValidationError as error:
        return _new(request, dict(_faults(error)), 422)
    if not why or len(why) > 500:
        return _new(request, {"why": "Say in a line what it is for."}, 422)
    if (stop := proven(request, lambda wrong, status: _new(request, {"old": wrong}, status))) is not None:
        return stop
    if wrong := _too_many(request, kind.to):  # type: ignore[attr-defined]
        return _new(request, {"to": wrong}, 422)
    try:
        return done(request, kind, why, held=HELD)
    except Problems as problems:
        return _new(request, {one.where: one.what for one in problems.problems}, 422)


def _too_many(request: Asked, to: str) -> str:
    """Nobody's list of what waits is filled by one mailbox."""
    with acting_as(request.actor):
        found = waiting(request.actor)
    return TWICE if any(one.to == to for one in found) else MANY if len(found) >= MOST else ""


@mailbox_act()
def disable(request: Asked) -> HttpResponse:
    return _closed(request, "forwards.disable", "stopped for now by its owner")


@mailbox_act()
def end(request: Asked) -> HttpResponse:
    return _closed(request, "forwards.end", "ended by its owner")


def _closed(request: Asked, permission: str, why: str) -> HttpResponse:
    try:
        kind = KINDS[permission].model_validate({"forward": request.POST.get("forward", "")})
        return done(request, kind, why, held=HELD)
    except (ValidationError, Problems):
        return told(request, "Nothing was changed", GONE, status=422)


@mailbox_act()
def take_back(request: Asked) -> HttpResponse:
    try:
        withdraw(UUID(request.POST.get("change", "")), actor=request.actor, why="taken back by its owner")
    except (ValueError, NotSeen, NotThere):
        return told(request, "Nothing was changed", GONE, status=422)
    return HttpResponseRedirect(PAGE)


def _faults(error: ValidationError) -> Iterator[tuple[str, str]]:
    words = {"to": "That is no mail address.", "until": "Say until which day."}
    for one in error.errors():
        name = str(one["loc"][0]) if one["loc"] else ""
        yield name, words.get(name, str(one["msg"]))


def _new(request: Asked, wrong: Wrong, status: int = 200) -> HttpResponse:
    typed: Any = request.POST
    kept = "keep_copy" in typed if typed else True
    fields = (
        Field("to", "Where to?", value=typed.get("to", "")[:254], required=True, error=wrong.get("to", ""),
              hint="A mail address."),
        Field("keep_copy", "A copy of each stays here", "checkbox", value="on" if kept else ""),
        Field("until", "Last day", "date", value=typed.get("until", "")[:10], required=True,
              error=wrong.get("until", ""), hint="It ends by itself after that day, a year from now at most."),
        Field("why", "What for?", value=typed.get("why", "")[:500], required=True, error=wrong.get("why", ""),
              hint="Whoever has to agree reads it."),
        Field(**{**vars(PRESENT), "error": wrong.get("old", "")}),
    )  # fmt: skip
    errors = tuple(words for where, words in wrong.items() if where not in FIELDS)
    page = OwnerForm(organization="", title="Pass your mail on", lead=ASK, address=request.own.address, back=BACK,
                     form=Form(fields, "Ask for it", f"{HERE}new/", errors=errors))  # fmt: skip
    return render(request, "owner/form.html", {"page": page}, status=status)


URLS: list[URLPattern] = [
    path("mailbox/forwards/new/", by_method(GET=asking, POST=ask), name="mailbox-forward"),
    path("mailbox/forwards/disable/", by_method(POST=disable), name="mailbox-forward-disable"),
    path("mailbox/forwards/end/", by_method(POST=end), name="mailbox-forward-end"),
    path("mailbox/forwards/withdraw/", by_method(POST=take_back), name="mailbox-forward-withdraw"),
]
