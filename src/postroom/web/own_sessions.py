"""Where somebody is signed in, browsers and terminals alike; one of these ended, or all others."""

from contextlib import suppress
from typing import Any
from uuid import UUID

from allauth.usersessions.models import UserSession
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone

from postroom.access.acting import SYSTEM, acting_as
from postroom.access.scope import visible
from postroom.changes.errors import ChangeError
from postroom.changes.kinds.people import EndSession
from postroom.changes.pipeline import submit
from postroom.models import ApiSession
from postroom.models.base import made_at
from postroom.web.entries import entered
from postroom.web.parts.plain_pages import OwnSessions
from postroom.web.parts.shapes import Act, Badge, Code, Item
from postroom.web.times import when

WHY = "ended by who it belongs to"


def sessions(request: Any) -> HttpResponse:
    if request.method == "POST":
        return _end(request)
    browsers, terminals = _browsers(request), _terminals(request)
    others = len(browsers) - 1 + len(terminals) > 0
    page = OwnSessions(
        organization="", browsers=tuple(_browser(request, one) for one in browsers),
        terminals=tuple(map(_terminal, terminals)),
        end=Act("End all others", "/account/sessions/", weight="danger", method="post") if others else None,
    )  # fmt: skip
    return render(request, "sessions.html", {"page": page})


def _browsers(request: Any) -> list[UserSession]:
    found: list[UserSession] = UserSession.objects.purge_and_list(request.user)
    return sorted(found, key=lambda one: one.created_at)


def _terminals(request: Any) -> list[ApiSession]:
    with acting_as(request.actor):
        mine = visible(request.actor, ApiSession).filter(person=request.actor.person, ended_at=None)
        return list(mine.filter(until__gt=timezone.now()).order_by("id"))


def _browser(request: Any, one: UserSession) -> Item:
    here = one.session_key == request.session.session_key
    sub = (one.user_agent[:120], f"· since {when(one.created_at)}, last seen {when(one.last_seen_at)} UTC")
    end = Act("End it", "/account/sessions/", method="post", of=f"the session at {one.ip}",
              hidden=(("browser", str(one.pk)),))  # fmt: skip
    badge = Badge("good", "This one") if here else None
    return Item((Code(one.ip),), sub, icon="device-desktop", badge=badge, acts=() if here else (end,))


def _terminal(one: ApiSession) -> Item:
    end = Act("End it", "/account/sessions/", method="post", of=one.label or "the terminal",
              hidden=(("terminal", str(one.pk)),))  # fmt: skip
    sub = f"since {when(made_at(one.pk))}, until {when(one.until)} UTC"
    return Item(one.label or "A terminal", sub, icon="terminal-2", acts=(end,))


def _end(request: Any) -> HttpResponse:
    """One of one's own, or all but the one that asks; what is not one's own is not there."""
    which = {"browser": request.POST.get("browser"), "terminal": request.POST.get("terminal")}
    all_others = not any(which.values())
    for browser in _browsers(request):
        here = browser.session_key == request.session.session_key
        if not here and (all_others or str(browser.pk) == which["browser"]):
            browser.end()
            entered("session ended", request.user, because=WHY, source=browser.ip)
    for terminal in _terminals(request):
        if all_others or str(terminal.pk) == which["terminal"]:
            _end_terminal(terminal.pk)
    return HttpResponseRedirect("/account/sessions/")


def _end_terminal(session: UUID) -> None:
    with suppress(ChangeError):  # it ended meanwhile
        submit(EndSession(session=str(session)), actor=SYSTEM, why=WHY)
