"""Doing anything: what can be done, the plain form of any kind, its plan, and sending it. Parses and shows; no more.

One address a kind. GET shows the form, prefilled from the address; POST shows the plan (`step` empty), goes back to the
form (`edit`, or a row more or less) or sends what was seen (`send`).
"""

from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from postroom.access.acting import acting_as
from postroom.access.declared import SOMETIMES
from postroom.access.scope import changes_seen
from postroom.changes import step_up
from postroom.changes.approvals import undo
from postroom.changes.errors import ChangeError, NothingToDo, Problem, Problems, StepUp
from postroom.changes.kind import KINDS, Kind
from postroom.changes.pipeline import dry_run, submit
from postroom.changes.plan import NotOneClient
from postroom.changes.policy import Proposed
from postroom.models import Change
from postroom.web.doing_together import together
from postroom.web.door import act, arrived, by_method, page, refused
from postroom.web.kind_form import KindForm
from postroom.web.lists import is_id
from postroom.web.parts.change_pages import FormPage, KindGroup, KindItem, KindsPage
from postroom.web.parts.plain import NOUNS
from postroom.web.parts.shapes import Crumb, Fact, Link, Note, PageHead
from postroom.web.plan_page import plan_page
from postroom.web.plans import likeness
from postroom.web.step_up import fresh, typed_before
from postroom.web.titles import TABLES, called, does, icon_of, title
from postroom.web.verifying import onward

CRUMBS = (Crumb("What can be done", "/do/"),)
PLURAL = {"clients": "Clients", "domains": "Domains", "mailboxes": "Mailboxes", "people": "People", "nodes": "Nodes",
          "history": "History", "aliases": "Aliases", "invites": "Invites", "grants": "Roles", "freezes": "Freezes",
          "record_sets": "Record sets", "dkim_keys": "Signing keys", "organization": "Organization",
          "sessions": "Sessions", "access_reviews": "Access reviews", "rosters": "Rosters", "tokens": "API tokens",
          "findings": "Findings", "recovery_channels": "Recovery channels", "resets": "Resets",
          "access": "Closed clients", "record": "The record", "app_passwords": "App passwords",
          "doubts": "What an owner does not know", "consents": "Consents", "mail_apps": "Mail apps",
          "token_keys": "Keys of tokens", "forwards": "Forwards", "catch_alls": "Catch-alls",
          "exceptions": "Exceptions", "transports": "Transports", "destinations": "Destinations", "probes": "Probes",
          "delegations": "Access to other mailboxes", "filters": "Filters",
          "redirects": "Redirects of filters"}  # fmt: skip


def doable(request: Any, name: str) -> type[Kind] | None:
    """A kind that people submit, that carries no secret, and that this person may somewhere."""
    kind = KINDS.get(name)
    if kind is None or kind.carries_secret or "person" not in kind.by:
        return None
    return kind if request.access.can_somewhere(name) else None


@page("changes.view")
def kinds(request: Any) -> HttpResponse:
    groups: dict[str, list[KindItem]] = {}
    for name in KINDS:
        if kind := doable(request, name):
            noun = name.partition(".")[0]
            groups.setdefault(noun, []).append(KindItem(called(name), f"/do/{name}/", does(kind), name))
    shown = KindsPage(
        head=PageHead("What can be done", "each shows its plan before anything is changed"),
        groups=tuple(KindGroup(PLURAL.get(noun, _noun(noun)), icon_of(f"{noun}."), tuple(items))
                     for noun, items in groups.items()),
    )  # fmt: skip
    return render(request, "kinds.html", {"page": shown})


def _noun(noun: str) -> str:
    return NOUNS.get(TABLES.get(noun, noun), (noun.capitalize(), ""))[0]


@act("changes.view", recorded="")
def chosen(request: Any) -> HttpResponse:
    """Rows chosen in a list, and an act on all of them: on to its form."""
    name = str(request.POST.get("act", ""))
    if doable(request, name) is None:
        raise Http404("no such act")
    params = [(key, value) for key in ("mailbox", "invite") for value in request.POST.getlist(key)[:500]]
    return HttpResponseRedirect(f"/do/{name}/?{urlencode(params)}")


@act("changes.view", recorded="")
def form(request: Any, name: str) -> HttpResponse:
    kind = _kind(request, name)
    if isinstance(kind, HttpResponse):
        return kind
    typed = typed_before(request)
    return shown(request, KindForm.typed_into(request, kind, typed) if typed else KindForm.from_address(request, kind))


@act("changes.view", step_up=SOMETIMES)
def send(request: Any, name: str) -> HttpResponse:
    kind = _kind(request, name)
    if isinstance(kind, HttpResponse):
        return kind
    asked = KindForm.from_post(request, kind)
    if asked.redraw:
        return shown(request, asked)
    kinds = asked.kinds()
    if asked.errors:
        return shown(request, asked)
    key = str(request.POST.get("key", ""))[:64] or None
    if asked.step == "send" and (made := _made_already(request, name, key)):
        return HttpResponseRedirect(f"/changes/{made.pk}/")
    try:
        proposed = dry_run(kinds, actor=request.actor, why=asked.why)
    except ChangeError as error:
        if isinstance(error, Problems) and any(isinstance(one, NotOneClient) for one in error.problems):
            return _over_clients(request, asked, kinds)
        if asked.step == "send" and (made := _made_already(request, name, key)):  # by the first press, meanwhile
            return HttpResponseRedirect(f"/changes/{made.pk}/")
        return shown(request, wrong(asked, error))
    if asked.step != "send":
        return plan_page(request, asked, proposed, key=str(uuid4()))
    return _sent(request, asked, kinds, proposed, key)


def _over_clients(request: Any, asked: KindForm, kinds: list[Kind]) -> HttpResponse:
    try:
        return together(request, asked, kinds)
    except StepUp:
        raise
    except ChangeError as error:
        return shown(request, wrong(asked, error))


def _sent(request: Any, asked: KindForm, kinds: list[Kind], proposed: Proposed, key: str | None) -> HttpResponse:
    """Submit what was seen; a plan that is another one by now is shown again."""
    if request.POST.get("seen") != likeness(proposed):
        return plan_page(request, asked, proposed, key=key or str(uuid4()), moved=True)
    if (typed := asked.typed_wrong(proposed)) is not None:
        return plan_page(request, asked, proposed, key=key or str(uuid4()), typed=typed)
    step_up.before(kinds, actor=request.actor, fresh=fresh(request))
    try:
        change = _submitted(request, asked, kinds, key)
    except ChangeError as error:
        return shown(request, wrong(asked, error))
    return onward(request, change) or arrived(request, change)


def _submitted(request: Any, asked: KindForm, kinds: list[Kind], key: str | None) -> Change:
    back = kinds[0].takes_back
    if back is not None:
        return undo(back, actor=request.actor, why=asked.why, ticket=asked.ticket, key=key, at=asked.at)
    return submit(kinds, actor=request.actor, why=asked.why, ticket=asked.ticket, key=key, at=asked.at)


def _made_already(request: Any, name: str, key: str | None) -> Change | None:
    """The button was pressed twice: the second press answers with the change of the first, whatever it made of it."""
    with acting_as(request.actor):
        mine = Change.objects.filter(kind=name, proposer_id=request.actor.person, key__isnull=False)
        return mine.filter(key=key).first()


def _kind(request: Any, name: str) -> type[Kind] | HttpResponse:
    kind = doable(request, name)
    if kind is not None:
        return kind
    known = KINDS.get(name)
    if known is None or known.carries_secret or "person" not in known.by:
        raise Http404("no such kind")
    return refused(request, name, _named(request, known))


def _named(request: Any, kind: type[Kind]) -> tuple[str, str]:
    """The first object that the form names, row by row, of those that the address or what was typed fills in."""
    posted = request.method == "POST"
    asked = KindForm.typed_into(request, kind, request.POST) if posted else KindForm.from_address(request, kind)
    fields = ((one.ref, prefix + one.name) for prefix in asked.prefixes() for one in asked.params if one.ref)
    found = ((noun, asked.typed.get(name, "").strip()) for noun, name in fields)
    return next(((noun, ref) for noun, ref in found if ref), ("", ""))


def wrong(asked: KindForm, error: ChangeError) -> KindForm:
    """What the core refused, at the fields it names."""
    found = error.problems if isinstance(error, Problems) else [error] if isinstance(error, Problem) else ()
    for one in found:
        asked.add(one.where, one.what)
    if not found:
        already = type(error) is NothingToDo
        asked.add("", "It stands so already; there is nothing to change." if already else str(error))
    return asked


def shown(request: HttpRequest, asked: KindForm, notes: tuple[Note, ...] = ()) -> HttpResponse:
    with acting_as(request.actor):  # type: ignore[attr-defined]
        drawn = asked.drawn()
        taken = _taken_back(asked)
    page = FormPage(
        head=PageHead(called(asked.name), does(asked.kind), crumbs=CRUMBS), form=drawn,
        notes=notes, facts=(*taken, Fact("Kind", asked.name), Fact("Nothing is changed", "until you send the plan")),
    )  # fmt: skip
    return render(request, "form.html", {"page": page}, status=422 if drawn.problems else 200)


def _taken_back(asked: KindForm) -> tuple[Fact, ...]:
    """Of an undo, the change that is meant: its id says nothing to anybody."""
    ref = asked.typed.get("change", "") if asked.name == "history.roll_back" else ""
    old = Change.objects.filter(changes_seen(), pk=ref).first() if is_id(ref) else None
    return (Fact("Takes back", Link(title(old.kind, old.params), f"/changes/{old.pk}/")),) if old else ()


do = by_method(GET=kinds, POST=chosen)
do_one = by_method(GET=form, POST=send)
