"""Making an API token of one's own: the form, and the one page where the token appears, sent no-store."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from postroom.access.acting import acting_as
from postroom.access.declared import ALWAYS
from postroom.access.scope import visible
from postroom.access.tokens import draw
from postroom.changes import step_up
from postroom.changes.errors import ChangeError, StepUp
from postroom.changes.kinds.tokens import CreateToken
from postroom.changes.pipeline import submit
from postroom.models import Change, Person
from postroom.web.doing import wrong
from postroom.web.door import act
from postroom.web.kind_form import KindForm
from postroom.web.parts.change_pages import FormPage
from postroom.web.parts.forms import Field, Form
from postroom.web.parts.shapes import Act, Crumb, PageHead
from postroom.web.parts.shown_once import TokenPage
from postroom.web.step_up import fresh
from postroom.web.times import when
from postroom.web.titles import does

HERE = "/tokens/new/"
LATER = "not_before"  # the token is shown now or not at all


@act("tokens.create", recorded="")
def ask(request: Any) -> HttpResponse:
    return _form(request, KindForm.from_address(request, CreateToken))


@act("tokens.create", step_up=ALWAYS)
def make(request: Any) -> HttpResponse:
    """A new token, in this answer and nowhere else."""
    asked = KindForm.from_post(request, CreateToken)
    asked.typed.pop(LATER, None)
    if asked.redraw:
        return _form(request, asked)
    kinds = asked.kinds()
    if asked.errors:
        return _form(request, asked)
    try:
        step_up.before(kinds, actor=request.actor, fresh=fresh(request))
        token, kept = draw()
        change = submit(kinds, actor=request.actor, why=asked.why, ticket=asked.ticket, secrets={"token": kept})
    except StepUp:
        raise
    except ChangeError as error:
        return _form(request, wrong(asked, error))
    if change.version is None:
        asked.add("", "; ".join(v["reason"] for v in change.verdicts))
        return _form(request, asked)
    return _shown(request, change, token, kinds[0])


def _shown(request: Any, change: Change, token: str, kind: Any) -> HttpResponse:
    shown = TokenPage(
        head=PageHead("A new token", crumbs=_crumbs(request)), token=token, name=kind.name,
        until=f"{when(kind.until)} UTC", back=Act("To what was recorded", f"/changes/{change.pk}/"),
    )  # fmt: skip
    answer = render(request, "token.html", {"page": shown})
    answer["Cache-Control"] = "no-store"
    return answer


def _form(request: Any, asked: KindForm) -> HttpResponse:
    with acting_as(request.actor):
        drawn = asked.drawn()
        crumbs = _crumbs(request)
    fields = tuple(one for one in drawn.fields if not (isinstance(one, Field) and one.name == LATER))
    form = Form(fields, "Make the token", HERE, icon="key", errors=drawn.errors, back=Act("Not now", crumbs[-1].url))
    shown = FormPage(head=PageHead("Make a token", does(CreateToken), crumbs=crumbs), form=form)
    return render(request, "link_form.html", {"page": shown}, status=422 if form.problems else 200)


def _crumbs(request: Any) -> tuple[Crumb, ...]:
    with acting_as(request.actor):
        me = visible(request.actor, Person).filter(pk=request.actor.person).first()
    return (Crumb("People", "/people/"), *((Crumb(me.name, f"/people/{me.email}/"),) if me else ()))
