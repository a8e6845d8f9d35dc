"""A mailbox's owner says by which address or number they get back in: with the present password, asked anew."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.utils import timezone
from pydantic import ValidationError

from postroom.access.acting import acting_as
from postroom.changes.errors import Problems
from postroom.changes.kind import KINDS
from postroom.models import RecoveryChannel
from postroom.models.recovery import ADDRESS
from postroom.queries.owning import channels
from postroom.web.door import by_method
from postroom.web.mailbox_door import PAGE, Asked, done, mailbox_act, mailbox_page, told
from postroom.web.mailbox_secrets import PRESENT, proven
from postroom.web.parts.forms import Field, Form
from postroom.web.parts.plain_pages import OwnerForm, Part
from postroom.web.parts.shapes import Act, Badge, Code, Item

HERE = "/mailbox/ways-back/"
BACK = Act("Not now", PAGE)
NEW = (
    "An address that you read elsewhere, or a number at which you can be called. Its holder gets a link to confirm it; "
    "the mailbox and your other ways back in are told of it. For a mailbox marked as high risk, name one outside of "
    "your organization’s own domains: none of those counts."
)
OVER = (
    "Whoever holds it is told. Nothing is mailed there from now on when somebody cannot get in. Of a mailbox marked as "
    "high risk it counts seven days yet, where others verify who asks."
)
GONE = "It is no way back in any more."
HELD = "It is as before until somebody who runs the mail has agreed to it."


def part(request: Asked) -> Part:
    """Those that have not ended, with what keeps each from counting; and the way to one more."""
    now = timezone.now()
    rows = [
        Item(Code(one.value), one.not_yet(now) or _counts(one, now), icon="mail" if one.sort == ADDRESS else "phone",
             badge=None if not one.not_yet(now) else Badge("fact", "does not count yet"),
             acts=(Act("End", f"{HERE}end/?channel={one.pk}", weight="asks", of=one.value),))
        for one in channels(request.actor, request.own.mailbox)
    ]  # fmt: skip
    rows.append(Item("One more", "an address or a number by which you get back in", icon="plus",
                     acts=(Act("Name one", f"{HERE}new/", of="another way back in"),)))  # fmt: skip
    return Part("Ways back in", "owner/parts/items.html", tuple(rows), "ways-back")


def _counts(one: RecoveryChannel, now: datetime) -> str:
    """How old it is, and when its holder last said that it is read."""
    read = f"; confirmed {_ago(now - one.confirmed_at)}" if one.confirmed_at else ""
    return f"counts: named {_ago(now - one.made)}, on {one.made:%d %b %Y}{read}"


def _ago(since: timedelta) -> str:
    return {0: "today", 1: "a day ago"}.get(since.days, f"{since.days} days ago")


@mailbox_page
def new(request: Asked) -> HttpResponse:
    return _new(request, {})


@mailbox_act()
def name(request: Asked) -> HttpResponse:
    asked = {
        "mailbox": request.own.address,
        "value": request.POST.get("value", ""),
        "name": request.POST.get("name", ""),
    }
    try:
        kind = KINDS["recovery_channels.name"].model_validate(asked)
    except ValidationError as error:
        return _new(request, {str(one["loc"][0]): str(one["msg"]) for one in error.errors()}, 422)
    if (stop := proven(request, lambda wrong, status: _new(request, {"old": wrong}, status))) is not None:
        return stop
    try:
        return done(request, kind, "named by its owner", held=HELD)
    except Problems as problems:
        return _new(request, {one.where: one.what for one in problems.problems}, 422)


@mailbox_page
def ending(request: Asked) -> HttpResponse:
    return _end(request)


@mailbox_act()
def end(request: Asked) -> HttpResponse:
    if (stop := proven(request, lambda wrong, status: _end(request, wrong, status))) is not None:
        return stop
    try:
        kind = KINDS["recovery_channels.end"].model_validate({"channel": request.GET.get("channel", "")})
        return done(request, kind, "ended by its owner", held=HELD)
    except (ValidationError, Problems):
        return told(request, "Nothing was changed", GONE, status=422)


def _new(request: Asked, wrong: dict[str, str], status: int = 200) -> HttpResponse:
    typed: Any = request.POST
    fields = (
        Field("value", "Address or number", value=typed.get("value", "")[:254], required=True,
              error=wrong.get("value", ""), hint="A number with its country: +44 20 7946 0123."),
        Field("name", "Who reads or answers there", value=typed.get("name", "")[:200], error=wrong.get("name", "")),
        Field(**{**vars(PRESENT), "error": wrong.get("old", "")}),
    )  # fmt: skip
    errors = tuple(words for where, words in wrong.items() if where not in ("value", "name", "old"))
    page = OwnerForm(organization="", title="Another way back in", lead=NEW, address=request.own.address, back=BACK,
                     form=Form(fields, "Name it", f"{HERE}new/", errors=errors))  # fmt: skip
    return render(request, "owner/form.html", {"page": page}, status=status)


def _end(request: Asked, wrong: str = "", status: int = 200) -> HttpResponse:
    one = _asked_for(request)
    if one is None:
        return told(request, "Nothing to end", GONE, status=404)
    form = Form((Field(**{**vars(PRESENT), "error": wrong}),), "End it", f"{HERE}end/?channel={one.pk}")
    page = OwnerForm(organization="", title=f"End {one.value}", lead=OVER, address=request.own.address, back=BACK,
                     form=form)  # fmt: skip
    return render(request, "owner/form.html", {"page": page}, status=status)


def _asked_for(request: Asked) -> RecoveryChannel | None:
    try:
        which = UUID(request.GET.get("channel", ""))
    except ValueError:
        return None
    with acting_as(request.actor):
        return next((one for one in channels(request.actor, request.own.mailbox) if one.pk == which), None)


URLS: list[URLPattern] = [
    path("mailbox/ways-back/new/", by_method(GET=new, POST=name), name="mailbox-way-back"),
    path("mailbox/ways-back/end/", by_method(GET=ending, POST=end), name="mailbox-way-back-end"),
]
