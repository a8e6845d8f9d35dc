"""A mailbox's owner makes app passwords and ends them: each is shown once, on the page that answers, sent no-store."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from typing import Any

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path
from pydantic import ValidationError

from postroom.access.tokens import app_password
from postroom.changes.errors import NothingToDo, Problems
from postroom.changes.kind import KINDS
from postroom.changes.pipeline import submit
from postroom.models import Credential, SignIn
from postroom.models.credentials import PROTOCOLS
from postroom.queries.mailboxes import app_passwords
from postroom.queries.sign_ins import own_last_uses
from postroom.web.door import by_method
from postroom.web.mailbox_door import PAGE, Asked, mailbox_act, mailbox_page, told
from postroom.web.mailbox_secrets import proven
from postroom.web.parts.forms import Field, Form
from postroom.web.parts.owner_devices import NewAppPassword, ShownAppPassword
from postroom.web.parts.plain_pages import Part
from postroom.web.parts.shapes import Act, Code, Item, Strong
from postroom.web.times import when

HERE = "/mailbox/app-passwords/"
MEANS = {"imap": "read mail", "submission": "send mail", "managesieve": "sort mail by filters"}
BACK = Act("Not now", PAGE)
USED_TO = {"imap": "read mail", "submission": "sent mail", "sieve": "sorted mail", "managesieve": "sorted mail"}
MOST_WANTED = ["imap", "submission"]
FIELDS = ("name", "protocols", "until", "password")
NOT_IT = "That is not the password of this mailbox."
Wrong = dict[str, str]  # field → what is wrong with it; "" for what is of none


def part(request: Asked) -> Part:
    """Her live ones, each with its end; and the way to one more."""
    uses = own_last_uses(request.actor, request.own.mailbox)
    rows = [_item(one, uses.get(one.called)) for one in app_passwords(request.actor, request.own.mailbox)]
    rows.append(Item("One for another device", "an app password of its own, which can be ended by itself", icon="plus",
                     acts=(Act("Make one", f"{HERE}new/", of="an app password"),)))  # fmt: skip
    return Part("Devices and apps that get in", "owner/parts/app_passwords.html", tuple(rows), "app-passwords")


def _item(one: Credential, last: SignIn | None) -> Item:
    """An app that was let in is told from an app password by its name, and ended by a kind of its own."""
    let_in = one.app
    said = f"{f'{let_in.name}, let in without a password · ' if let_in else ''}may {_may(one.protocols)}"
    said += f" · made {when(one.made)}{f' · until {when(one.until)}' if one.until else ''}"
    which = "consent" if let_in else "app_password"
    end = Act("End", f"{HERE}end/", method="post", weight="asks", of=one.name, hidden=((which, str(one.pk)),))
    return Item(Strong(one.name), (said, *_used(last)), icon="device-mobile" if let_in else "key", acts=(end,))


def _used(last: SignIn | None) -> Iterator[str | Code]:
    """When it got in last, for what and from where: by which its owner knows one that nobody needs, or misuses."""
    if last is None:
        yield "· no sign-in with it is known in 90 days"
        return
    yield f"· last used {when(last.at)} UTC: {USED_TO.get(last.protocol, last.protocol)}"
    if last.address:
        yield "from"
        yield Code(last.address)


def _may(protocols: list[str]) -> str:
    return ", ".join(MEANS[one] for one in PROTOCOLS if one in protocols)


@mailbox_page
def ask(request: Asked) -> HttpResponse:
    return _form(request, {})


@mailbox_act()
def make(request: Asked) -> HttpResponse:
    """Whoever only finds a browser signed in makes none: the password as it is now is asked with it."""
    name, protocols = request.POST.get("name", "").strip(), [one for one in PROTOCOLS if one in request.POST]
    until = last_second(request.POST.get("until", ""))
    try:
        asked = KINDS["app_passwords.create"].model_validate({"name": name, "protocols": protocols, "until": until})
    except ValidationError as error:
        return _form(request, _faults(error), status=422)
    if stop := proven(request, lambda wrong, code: _form(request, {"password": wrong}, status=code), "password"):
        return stop
    drawn, kept = app_password()
    try:
        done = submit(asked, actor=request.actor, why="made by its owner", secrets={"app password": kept})
    except Problems as problems:
        return _form(request, {one.where: one.what for one in problems.problems}, status=422)
    if done.version is None:
        return _form(request, {"": "; ".join(verdict["reason"] for verdict in done.verdicts)}, status=409)
    page = ShownAppPassword(organization="", address=request.own.address, name=name, secret=drawn,
                            may=_may(protocols), back=Act("To my mailbox", PAGE))  # fmt: skip
    answer = render(request, "owner/app_password.html", {"page": page})
    answer["Cache-Control"] = "no-store"
    return answer


@mailbox_act()
def end(request: Asked) -> HttpResponse:
    """Only closes, so nothing is asked with it."""
    kind, field = ("consents.end", "consent") if "consent" in request.POST else ("app_passwords.end", "app_password")
    try:
        asked = KINDS[kind].model_validate({field: request.POST.get(field, "")})
        done = submit(asked, actor=request.actor, why="ended by its owner")
    except NothingToDo:
        return HttpResponseRedirect(PAGE)
    except ValidationError:
        return told(request, "Nothing was changed", "It was not said which one.", status=422)
    if done.version is None:
        reasons = "; ".join(verdict["reason"] for verdict in done.verdicts)
        return told(request, "Nothing was changed", reasons, status=409)
    return HttpResponseRedirect(PAGE)


def last_second(day: str) -> datetime | str | None:
    """The last second of a day, UTC; what is no day is left for the kind to refuse."""
    try:
        return datetime.combine(date.fromisoformat(day), time(23, 59, 59), UTC) if day else None
    except ValueError:
        return day


def _faults(error: ValidationError) -> Wrong:
    found: Wrong = {}
    for one in error.errors():
        name = str(one["loc"][0]) if one["loc"] else ""
        words = {"name": "Say which device it is for.", "protocols": "Choose what it may do.",
                 "until": "That is no day."}  # fmt: skip
        found[name] = words.get(name, str(one["msg"]))
    return found


def _form(request: Asked, wrong: Wrong, *, status: int = 200) -> HttpResponse:
    errors = tuple(words for name, words in wrong.items() if name not in FIELDS)
    form = Form(tuple(_fields(request.POST, wrong)), "Make it", f"{HERE}new/", icon="key", errors=errors)
    page = NewAppPassword(organization="", address=request.own.address, form=form, back=BACK)
    return render(request, "owner/new_app_password.html", {"page": page}, status=status)


def _fields(typed: Any, wrong: Wrong) -> Iterator[Field]:
    yield Field("name", "Which device or program is it for?", value=typed.get("name", "")[:80], required=True,
                maxlength=80, error=wrong.get("name", ""), hint="As you will know it again: Phone.")  # fmt: skip
    chosen = [one for one in PROTOCOLS if one in typed] if typed else MOST_WANTED
    for one, words in MEANS.items():
        error = wrong.get("protocols", "") if one == PROTOCOLS[0] else ""
        yield Field(one, f"It may {words}", "checkbox", value="on" if one in chosen else "", error=error)
    yield Field("until", "Last day", "date", value=typed.get("until", "")[:10], error=wrong.get("until", ""),
                hint="It ends by itself after that day.")  # fmt: skip
    yield Field("password", "The password of this mailbox", "password", error=wrong.get("password", ""), required=True,
                autocomplete="current-password")  # fmt: skip


URLS: list[URLPattern] = [
    path("mailbox/app-passwords/new/", by_method(GET=ask, POST=make), name="mailbox-app-password"),
    path("mailbox/app-passwords/end/", by_method(POST=end), name="mailbox-app-password-end"),
]
