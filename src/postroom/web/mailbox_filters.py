"""A mailbox's owner sees what sorts their mail, and makes rules, an automatic answer, or a script of their own.

What is in force is what the mail server read, and what is changed is that: until it has told of the last change,
nothing else is. A script of one's own may pass mail on, so it takes the password as it is now.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path

from postroom.access.acting import acting_as
from postroom.changes.kind import KINDS
from postroom.protocols.filters import Answer, Filters, NoRule, Rule, script
from postroom.protocols.sieve_text import LONGEST, NoScript, parsed
from postroom.protocols.text import BadText, long_text
from postroom.queries.filters import Kept, own_filters
from postroom.queries.own_routes import own_routes
from postroom.web.door import by_method
from postroom.web.mailbox_door import PAGE, Again, Asked, done, mailbox_act, mailbox_page, told
from postroom.web.mailbox_filters_told import LOOKS_AT, items, part
from postroom.web.mailbox_secrets import PRESENT, proven
from postroom.web.parts.forms import Field, Form, Option
from postroom.web.parts.plain_pages import OwnerForm
from postroom.web.parts.shapes import Act

__all__ = ["URLS", "part"]

HERE = "/mailbox/filters/"
BACK, UP = Act("To my mailbox", PAGE), Act("Not now", HERE)
LEAD = (
    "Rules are looked at one after the other; mail that one moves is not looked at by those below it. What you write "
    "here stays between you and the mail server: nobody reads it in the record of what was changed."
)
RAW = (
    "A Sieve script (RFC 5228) takes the place of your rules and your automatic answer. Mail that it passes on to an "
    "address outside goes there only while an exception lets it; until then it stays here."
)
AWAY = "Whoever writes to you is answered, each of them once in so many days. Lists and other machines are not."
WAITS = "The last change is on its way to the mail server. Look again in a few seconds."
MOVED = "What is in force has changed since you opened that page. Nothing was changed by this."
Wrong = dict[str, str]


@mailbox_page
def page(request: Asked) -> HttpResponse:
    return _page(request, own_filters(request.actor, request.own.mailbox), {})


@mailbox_act()
def add(request: Asked) -> HttpResponse:
    kept, typed = _kept(request), request.POST
    try:
        rule = Rule(
            typed.get("where", ""), typed.get("contains", "").strip(), typed.get("folder", "").strip(),  # type: ignore[arg-type]
            copy="copy" in typed, read="read" in typed,
        )  # fmt: skip
        rules = kept.rules or Filters()
        made = replace(rules, rules=(*rules.rules, rule))
    except NoRule as error:
        return _page(request, kept, {"": f"{error}."}, 422)
    return _written(request, kept, script(made), lambda wrong: _page(request, kept, {"": wrong}, 422))


@mailbox_act()
def remove(request: Asked) -> HttpResponse:
    """Of the rules, the one of this number; or the automatic answer."""
    kept, which = _kept(request), request.POST.get("rule", "")
    rules = kept.rules or Filters()
    if which == "answer":
        made = replace(rules, answer=None)
    else:
        made = replace(rules, rules=tuple(one for n, one in enumerate(rules.rules) if str(n) != which))
    if made == rules:
        return told(request, "Nothing was changed", MOVED, status=409, to=HERE)
    return _written(request, kept, script(made), lambda wrong: _page(request, kept, {"": wrong}, 422))


@mailbox_page
def answering(request: Asked) -> HttpResponse:
    return _answer(request, own_filters(request.actor, request.own.mailbox), {})


@mailbox_act()
def answer(request: Asked) -> HttpResponse:
    kept, typed = _kept(request), request.POST
    try:
        days = typed.get("days", "")
        made = Answer(
            typed.get("subject", "").strip(), typed.get("text", "").replace("\r\n", "\n").strip(),
            _day(typed.get("first", "")), _day(typed.get("last", "")), int(days) if days.isdecimal() else 0,
        )  # fmt: skip
    except NoRule as error:
        return _answer(request, kept, {"": f"{error}."}, 422)
    text = script(replace(kept.rules or Filters(), answer=made))
    return _written(request, kept, text, lambda wrong: _answer(request, kept, {"": wrong}, 422))


@mailbox_page
def writing(request: Asked) -> HttpResponse:
    return _script(request, own_filters(request.actor, request.own.mailbox), {})


@mailbox_act()
def write(request: Asked) -> HttpResponse:
    kept = _kept(request)
    try:
        text = long_text(request.POST.get("script", ""), LONGEST).strip()
        if not text:
            return _script(request, kept, {"script": "Write a script, or end the one that is in force."}, 422)
        parsed(text)
    except (NoScript, BadText) as error:
        return _script(request, kept, {"script": f"{error}."}, 422)
    if (stop := proven(request, lambda wrong, status: _script(request, kept, {"old": wrong}, status))) is not None:
        return stop
    return _written(request, kept, text, lambda wrong: _script(request, kept, {"": wrong}, 422))


@mailbox_act()
def end(request: Asked) -> HttpResponse:
    """Only closes, so nothing is asked with it."""
    kind = KINDS["filters.end"].model_validate({"mailbox": request.own.address})
    return done(request, kind, "ended by its owner", to=HERE, again=lambda wrong: told(
        request, "Nothing was changed", wrong, status=409, to=HERE
    ))  # fmt: skip


def _kept(request: Asked) -> Kept:
    with acting_as(request.actor):
        return own_filters(request.actor, request.own.mailbox)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise NoRule("that is no day") from None


def _written(request: Asked, kept: Kept, text: str, again: Again) -> HttpResponse:
    """On what they saw, and on nothing else."""
    if kept.waits is not None:
        return told(request, "Nothing was changed", WAITS, status=409, to=HERE)
    if request.POST.get("was", "") != kept.was:
        return told(request, "Nothing was changed", MOVED, status=409, to=HERE)
    if kept.active and kept.active.text == text:
        return HttpResponseRedirect(HERE)
    kind = KINDS["filters.write"]()
    return done(request, kind, "written by its owner", to=HERE, secrets={"filter": text}, again=again)


def _page(request: Asked, kept: Kept, wrong: Wrong, status: int = 200) -> HttpResponse:
    with acting_as(request.actor):
        shown_of = tuple(items(kept, own_routes(request.actor)))
    fields = tuple(_rule_fields(request))
    form = Form(fields, "Add the rule", HERE, hidden=(("was", kept.was),), errors=tuple(wrong.values()))
    shown = OwnerForm(organization="", title="Filters and automatic answer", lead=LEAD, address=request.own.address,
                      back=BACK, form=form, items=shown_of)  # fmt: skip
    return render(request, "owner/form.html", {"page": shown}, status=status)


def _rule_fields(request: Asked) -> Iterator[Field]:
    typed = request.POST
    where = tuple(Option(value, words) for value, words in LOOKS_AT.items())
    yield Field("where", "Mail whose", "select", value=typed.get("where", "from"), options=where)
    yield Field("contains", "contains", value=typed.get("contains", "")[:200], required=True)
    yield Field("folder", "Move it to the folder", value=typed.get("folder", "")[:200],
                hint="Made, if there is none of this name. Left empty, the mail stays where it is.")  # fmt: skip
    for name, words in (("copy", "Keep a copy in the inbox"), ("read", "Mark it as read")):
        yield Field(name, words, "checkbox", value="on" if name in typed else "")


def _answer(request: Asked, kept: Kept, wrong: Wrong, status: int = 200) -> HttpResponse:
    typed, now = request.POST, kept.rules.answer if kept.rules else None
    had = {"subject": now.subject, "text": now.text, "first": str(now.first or ""), "last": str(now.last or ""),
           "days": str(now.days)} if now else {"days": "7"}  # fmt: skip
    said = {name: (typed.get(name, "") if typed else had.get(name, "")) for name in ("subject", "text", *WHEN)}
    fields = (
        Field("subject", "Subject", value=said["subject"][:200], required=True),
        Field("text", "What is answered", "textarea", value=said["text"], required=True, maxlength=4000, lines=6),
        *(Field(name, words, control, value=said[name][:10], hint=hint)  # type: ignore[arg-type]
          for name, (words, control, hint) in WHEN.items()),
    )  # fmt: skip
    form = Form(fields, "Answer so", f"{HERE}answer/", hidden=(("was", kept.was),), errors=tuple(wrong.values()))
    shown = OwnerForm(organization="", title="Automatic answer", lead=AWAY, address=request.own.address, back=UP,
                      form=form)  # fmt: skip
    return render(request, "owner/form.html", {"page": shown}, status=status)


WHEN = {
    "first": ("First day", "date", "In UTC. Left empty, it begins at once."),
    "last": ("Last day", "date", "Left empty, it goes on until you end it."),
    "days": ("Days between two answers to the same sender", "number", ""),
}


def _script(request: Asked, kept: Kept, wrong: Wrong, status: int = 200) -> HttpResponse:
    text = request.POST.get("script", kept.active.text if kept.active else "")
    field = Field("script", "Script", "textarea", value=text[:LONGEST], required=True, error=wrong.get("script", ""),
                  lines=16, code=True)  # fmt: skip
    present = Field(**{**vars(PRESENT), "error": wrong.get("old", "")})
    form = Form((field, present), "Put it in force", f"{HERE}script/", hidden=(("was", kept.was),),
                errors=tuple(words for name, words in wrong.items() if not name))  # fmt: skip
    shown = OwnerForm(organization="", title="A script of your own", lead=RAW, address=request.own.address, back=UP,
                      form=form)  # fmt: skip
    return render(request, "owner/form.html", {"page": shown}, status=status)


URLS: list[URLPattern] = [
    path("mailbox/filters/", by_method(GET=page, POST=add), name="mailbox-filters"),
    path("mailbox/filters/remove/", by_method(POST=remove), name="mailbox-filters-remove"),
    path("mailbox/filters/answer/", by_method(GET=answering, POST=answer), name="mailbox-filters-answer"),
    path("mailbox/filters/script/", by_method(GET=writing, POST=write), name="mailbox-filters-script"),
    path("mailbox/filters/end/", by_method(POST=end), name="mailbox-filters-end"),
]
