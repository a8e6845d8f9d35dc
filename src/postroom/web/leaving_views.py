"""Saved views of the forwards that leave: a person's own, each a link that narrows the list as it was when saved."""

from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from postroom.changes import saved_views
from postroom.changes.errors import Problem
from postroom.models import SavedView
from postroom.queries import views as queries
from postroom.queries.leaving import VIEW
from postroom.web.door import act, page
from postroom.web.lists import Narrow, clean
from postroom.web.parts.forms import Field, Form
from postroom.web.parts.route_pages import ViewPage
from postroom.web.parts.shapes import Act, Crumb, Item, Link, PageHead

HERE, LIST = "/forwards/views/", "/forwards/"


def items(request: Any) -> tuple[Item, ...]:
    return tuple(_item(one) for one in queries.views(request.actor))


def _item(one: SavedView) -> Item:
    name = (("name", one.name),)
    narrowed = ", ".join(one.narrowed.get(each, "") for each in saved_views.NARROWS if one.narrowed.get(each))
    return Item(
        Link(one.name, f"{LIST}?{urlencode(one.narrowed)}"), narrowed or "everything", icon="eye",
        acts=(Act("Rename", f"{HERE}rename/?{urlencode(name)}", of=one.name),
              Act("Remove", f"{HERE}remove/", method="post", of=one.name, hidden=name)),
    )  # fmt: skip


def form(narrow: Narrow, error: str = "") -> Form:
    """By which what is shown now is saved."""
    hidden = tuple((one, narrow[one]) for one in saved_views.NARROWS if narrow[one])
    name = Field("name", "Save what is shown as", hint="One of yours that is called so is replaced.", required=True,
                 maxlength=saved_views.LONGEST, error=error)  # fmt: skip
    return Form((name,), "Save", HERE, hidden=hidden)


@act(VIEW, recorded="")
def save(request: Any) -> HttpResponse:
    narrowed = {one: clean(str(request.POST.get(one, ""))) for one in saved_views.NARROWS}
    name = str(request.POST.get("name", ""))
    saved_views.save(request.actor, name, narrowed)
    return HttpResponseRedirect(f"{LIST}?{urlencode({one: value for one, value in narrowed.items() if value})}")


@page(VIEW)
def renaming(request: Any) -> HttpResponse:
    return _rename(request, str(request.GET.get("name", "")))


@act(VIEW, recorded="")
def rename(request: Any) -> HttpResponse:
    name, to = str(request.POST.get("name", "")), str(request.POST.get("to", ""))
    try:
        saved_views.rename(request.actor, name, to)
    except Problem as problem:
        if problem.where != "to":
            raise
        return _rename(request, name, problem.what, status=422)
    return HttpResponseRedirect(LIST)


@act(VIEW, recorded="")
def remove(request: Any) -> HttpResponse:
    saved_views.remove(request.actor, str(request.POST.get("name", "")))
    return HttpResponseRedirect(LIST)


def _rename(request: Any, name: str, error: str = "", status: int = 200) -> HttpResponse:
    queries.named(request.actor, name)
    typed = Field("to", "Its name", value=request.POST.get("to", name)[: saved_views.LONGEST], required=True,
                  maxlength=saved_views.LONGEST, error=error)  # fmt: skip
    shown = ViewPage(
        head=PageHead(f"Rename {name}", "a saved view of yours", (Crumb("Forwards that leave", LIST),)),
        form=Form((typed,), "Rename", f"{HERE}rename/", back=Act("Not now", LIST), hidden=(("name", name),)),
    )
    return render(request, "leaving_view.html", {"page": shown}, status=status)
