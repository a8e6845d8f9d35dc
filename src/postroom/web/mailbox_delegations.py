"""A mailbox's owner says who else opens it or writes in its name, and asks for the same elsewhere.

To let somebody in takes the password as it is now: whoever only finds a browser signed in lets nobody in. To decline
and to end only closes, so nothing is asked with it.
"""

from collections.abc import Iterator
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from pydantic import ValidationError

from postroom.access.acting import acting_as
from postroom.changes.errors import Problems
from postroom.changes.kind import KINDS
from postroom.queries.delegations import Owned, own_delegations
from postroom.web.door import by_method
from postroom.web.mailbox_access import WAITS_FOR, rights
from postroom.web.mailbox_app_passwords import last_second
from postroom.web.mailbox_door import PAGE, Asked, done, mailbox_act, mailbox_page, told
from postroom.web.mailbox_secrets import PRESENT, proven
from postroom.web.parts.forms import Field, Form
from postroom.web.parts.plain_pages import OwnerForm, Part
from postroom.web.parts.shapes import Act, Badge, Code, Item
from postroom.web.times import when

HERE = "/mailbox/access/"
BACK = Act("Not now", PAGE)
GONE = "It has ended, or was answered already."
ASK = (
    "Its owner reads who asks and what for, and nothing opens before they consent. It ends by itself on the day that "
    "you name, and they can end it at any time."
)
LET = (
    "They can do so from now on, until that day. Who opens it reads all the mail in it, and changes none. Who gets a "
    "letter written as you sees no difference; on your behalf shows both addresses. You can end it at any time."
)
HELD = "The mailbox is marked as high risk: its owner is asked once somebody who runs the mail has agreed to that."
MAY = {
    "open": "Open it: read its mail; work in it if it is shared", "send-as": "Write as it",
    "send-on-behalf": "Write on its behalf: both addresses are shown",
}  # fmt: skip
YOU = {
    "open": "you open it in your mail program, under “shared”", "send-as": "you write as it",
    "send-on-behalf": "you write on its behalf",
}  # fmt: skip
FIELDS = ("mailbox", "rights", "until", "why", "old")
Wrong = dict[str, str]


def part(request: Asked) -> Part:
    """Who else gets in or asks to, and where its owner does."""
    rows = [_item(one) for one in own_delegations(request.actor)]
    ask = Act("Ask for it", f"{HERE}ask/", of="access to another mailbox")
    rows.append(Item("Access to another mailbox", "its owner is asked, and told what for", icon="plus", acts=(ask,)))
    return Part("Who else gets into your mailbox", "owner/parts/items.html", tuple(rows), "access")


def _item(one: Owned) -> Item:
    row, end = one.row, (("delegation", str(one.row.pk)),)
    until = f" · until {when(row.until)}" if row.until else ""
    words = f"{_may(one)}{until} · asked for by {_asker(one)} {when(row.made)}: {row.reason}"
    waits = row.started_at is None
    if waits:
        words += f" · waits for {' and '.join(WAITS_FOR[who] for who in row.missing)}"
    acts: list[Act] = []
    if one.mine and "owner" in row.missing:
        acts.append(Act("Answer", f"{HERE}consent/?delegation={row.pk}", weight="primary", of=one.address))
        acts.append(Act("Decline", f"{HERE}decline/", method="post", weight="asks", of=one.address, hidden=end))
    else:
        acts.append(Act("End", f"{HERE}end/", method="post", weight="asks", of=one.address, hidden=end))
    return Item(Code(one.address), words, icon="user-cog" if one.mine else "at", acts=tuple(acts),
                badge=Badge("warn", "asks") if waits and one.mine else None)  # fmt: skip


def _may(one: Owned) -> str:
    return rights(one.row) if one.mine else ", ".join(YOU[right] for right in one.row.rights)


def _asker(one: Owned) -> str:
    return one.asked_by or (f"the owner of {one.address}" if one.mine else "you")


@mailbox_page
def asking(request: Asked) -> HttpResponse:
    return _ask(request, {})


@mailbox_act()
def ask(request: Asked) -> HttpResponse:
    chosen = [one for one in MAY if one in request.POST]
    asked = {
        "mailbox": request.POST.get("mailbox", ""), "to": request.own.address, "rights": chosen,
        "until": last_second(request.POST.get("until", "")),
    }  # fmt: skip
    why = request.POST.get("why", "").strip()
    try:
        kind = KINDS["delegations.ask"].model_validate(asked)
    except ValidationError as error:
        return _ask(request, dict(_faults(error)), 422)
    if not why or len(why) > 500:
        return _ask(request, {"why": "Say in a line what it is for."}, 422)
    if (stop := proven(request, lambda wrong, status: _ask(request, {"old": wrong}, status))) is not None:
        return stop
    try:
        return done(request, kind, why, held=HELD)
    except Problems as problems:
        return _ask(request, {one.where: one.what for one in problems.problems}, 422)


@mailbox_page
def answering(request: Asked) -> HttpResponse:
    return _answer(request)


@mailbox_act()
def consent(request: Asked) -> HttpResponse:
    if (stop := proven(request, lambda wrong, status: _answer(request, wrong, status))) is not None:
        return stop
    return _said(request, "delegations.consent", request.GET.get("delegation", ""), "consented to by its owner")


@mailbox_act()
def decline(request: Asked) -> HttpResponse:
    return _said(request, "delegations.decline", request.POST.get("delegation", ""), "declined by its owner")


@mailbox_act()
def end(request: Asked) -> HttpResponse:
    return _said(request, "delegations.end", request.POST.get("delegation", ""), "ended by an owner")


def _said(request: Asked, permission: str, which: str, why: str) -> HttpResponse:
    try:
        return done(request, KINDS[permission].model_validate({"delegation": which}), why, held=HELD)
    except (ValidationError, Problems):
        return told(request, "Nothing was changed", GONE, status=422)


def _faults(error: ValidationError) -> Iterator[tuple[str, str]]:
    words = {"mailbox": "That is no mail address.", "rights": "Choose what you need.", "until": "That is no day."}
    for one in error.errors():
        name = str(one["loc"][0]) if one["loc"] else ""
        yield name, words.get(name, str(one["msg"]))


def _ask(request: Asked, wrong: Wrong, status: int = 200) -> HttpResponse:
    typed: Any = request.POST
    chosen = [one for one in MAY if one in typed] if typed else ["send-on-behalf"]
    fields = (
        Field("mailbox", "Which mailbox?", value=typed.get("mailbox", "")[:254], required=True,
              error=wrong.get("mailbox", "") or wrong.get("to", ""), hint="Its address."),
        *(Field(one, words, "checkbox", value="on" if one in chosen else "",
                error="" if n else wrong.get("rights", "")) for n, (one, words) in enumerate(MAY.items())),
        Field("until", "Last day", "date", value=typed.get("until", "")[:10], error=wrong.get("until", ""),
              hint="It ends by itself after that day, a year from now at most."),
        Field("why", "What for?", value=typed.get("why", "")[:500], required=True, error=wrong.get("why", ""),
              hint="Its owner reads it."),
        Field(**{**vars(PRESENT), "error": wrong.get("old", "")}),
    )  # fmt: skip
    errors = tuple(words for where, words in wrong.items() if where not in (*FIELDS, "to"))
    page = OwnerForm(organization="", title="Access to another mailbox", lead=ASK, address=request.own.address,
                     back=BACK, form=Form(fields, "Ask for it", f"{HERE}ask/", errors=errors))  # fmt: skip
    return render(request, "owner/form.html", {"page": page}, status=status)


def _answer(request: Asked, wrong: str = "", status: int = 200) -> HttpResponse:
    one = _asked_for(request)
    if one is None:
        return told(request, "Nothing to answer", GONE, status=404)
    until = f", until {when(one.row.until)} UTC" if one.row.until else ""
    lead = f"Asked for by {_asker(one)}: {one.row.reason}. Whoever signs in to {one.address} {rights(one.row)}{until}."
    form = Form((Field(**{**vars(PRESENT), "error": wrong}),), "Let them", f"{HERE}consent/?delegation={one.row.pk}")
    page = OwnerForm(organization="", title=f"Access for {one.address}", lead=f"{lead} {LET}",
                     address=request.own.address, back=BACK, form=form)  # fmt: skip
    return render(request, "owner/form.html", {"page": page}, status=status)


def _asked_for(request: Asked) -> Owned | None:
    which = request.GET.get("delegation", "")
    with acting_as(request.actor):
        found = own_delegations(request.actor)
    return next((one for one in found if one.mine and str(one.row.pk) == which and "owner" in one.row.missing), None)


URLS: list[URLPattern] = [
    path("mailbox/access/ask/", by_method(GET=asking, POST=ask), name="mailbox-access-ask"),
    path("mailbox/access/consent/", by_method(GET=answering, POST=consent), name="mailbox-access-consent"),
    path("mailbox/access/decline/", by_method(POST=decline), name="mailbox-access-decline"),
    path("mailbox/access/end/", by_method(POST=end), name="mailbox-access-end"),
]
