"""Nodes look at all scripts now: asked for at the list of forwards that leave, and how far each of them is.

The page asks again by itself until none is waited for, with scripts or without, and a minute at most; whoever leaves
it, or goes to the list, ends that. The nodes look on.
"""

from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from postroom.access.throttle import TooMany
from postroom.queries import looking
from postroom.queries.leaving import VIEW
from postroom.queries.looking import LOOKED, NO_ANSWER, NOT_ASKED, WAITED
from postroom.web.door import act, page
from postroom.web.lists import clean
from postroom.web.often import too_many
from postroom.web.parts.route_pages import LooksPage
from postroom.web.parts.shapes import Act, Badge, Crumb, Item, Note, PageHead, Progress
from postroom.web.times import when

HERE, LIST = "/forwards/looks/", "/forwards/"
BADGES = {
    LOOKED: Badge("good", "looked"), WAITED: Badge("waits", "waited for"), NO_ANSWER: Badge("unknown", "no answer"),
    NOT_ASKED: Badge("fact", "not asked"),
}  # fmt: skip
NOBODY = "No node serves a client that you see: there is none to ask."
SILENT = (
    "What scripts there do is as old as its last look says, and counts as not checked after five minutes. It has the "
    "question on its list, and looks as soon as it is back."
)


@page(VIEW)
def looks(request: Any) -> HttpResponse:
    client = clean(str(request.GET.get("client", "")))
    found = looking.progress(request.actor, client)
    back, here = _with(LIST, client), _with(HERE, client)
    shown = LooksPage(
        head=PageHead("Nodes look at all scripts", _asked(found), (Crumb("Forwards that leave", back),), acts=(
            Act("To the list", back),
            *((Act("Ask again", HERE, "refresh", method="post", hidden=(("client", client),)),) if found.over else ()),
        )),
        notes=tuple(_notes(found)), sure=_sure(found),
        looked=Progress("Nodes that have looked since they were asked", found.looked, len(found.nodes)),
        nodes=tuple(map(_node, found.nodes)), again="" if found.over else here,
    )  # fmt: skip
    return render(request, "leaving_looks.html", {"page": shown})


@act(VIEW, recorded="")
def look_again(request: Any) -> HttpResponse:
    client = clean(str(request.POST.get("client", "")))
    try:
        looking.look_again(request.actor, client)
    except TooMany as error:
        return too_many(request, error)
    return HttpResponseRedirect(_with(HERE, client))


def _with(url: str, client: str) -> str:
    return f"{url}?{urlencode({'client': client})}" if client else url


def _asked(found: looking.Progress) -> str:
    return f"asked {when(found.asked_at, seconds=True)}" if found.asked_at else "none was asked"


def _notes(found: looking.Progress) -> list[Note]:
    silent = [one.node for one in found.nodes if one.state == NO_ANSWER]
    if silent:
        return [Note(f"No answer from {', '.join(silent)}", SILENT, "warn")]
    return [] if found.nodes else [Note("Nothing was asked", NOBODY, "warn")]


def _sure(found: looking.Progress) -> Badge:
    """Good only where all of at least one have looked."""
    words = f"{found.looked} of {len(found.nodes)}"
    if found.nodes and found.looked == len(found.nodes):
        return Badge("good", words)
    return Badge("unknown", words) if found.over else Badge("waits", words)


def _node(one: looking.Looking) -> Item:
    last = f"last looked {when(one.looked_at, seconds=True)}" if one.looked_at else "has never looked"
    return Item(one.node, last, icon="server-2", badge=BADGES[one.state])
