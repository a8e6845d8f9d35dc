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
from postroom.changes.kinds.devices import ForgetDevice, RegisterDevice
from postroom.changes.kinds.people import EndSession
from postroom.changes.pipeline import submit
from postroom.models import ApiSession, Device
from postroom.models.base import made_at
from postroom.posture.checks.devices import place_of
from postroom.web.entries import entered
from postroom.web.parts.plain_pages import OwnSessions
from postroom.web.parts.shapes import Act, Badge, Code, Item
from postroom.web.step_up import fresh, prove
from postroom.web.times import when

WHY = "ended by who it belongs to"
SAID_SO, MOST_DEVICES = "said by its person, with a fresh second factor", 50


def sessions(request: Any) -> HttpResponse:
    if request.method == "POST" and "device" in request.POST:
        return _device(request)
    if request.method == "POST":
        return _end(request)
    browsers, terminals = _browsers(request), _terminals(request)
    others = len(browsers) - 1 + len(terminals) > 0
    page = OwnSessions(
        organization="", browsers=tuple(_browser(request, one) for one in browsers),
        terminals=tuple(map(_terminal, terminals)), devices=_devices(request),
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


def _place(request: Any) -> dict[str, str]:
    """Network and browser of whoever asks: as the session's own row has them, by which the check judges too."""
    one = UserSession.objects.filter(user=request.user, session_key=request.session.session_key).first()
    asks = request.META.get("REMOTE_ADDR", ""), request.META.get("HTTP_USER_AGENT", "")
    source, said = (one.ip, one.user_agent) if one else asks
    network, browser = place_of(source, said)
    return {"network": network, "browser": browser}


def _devices(request: Any) -> tuple[Item, ...]:
    with acting_as(request.actor):
        mine = visible(request.actor, Device).filter(person=request.actor.person, ended_at=None)
        rows = list(mine.order_by("-id")[:MOST_DEVICES])
    here = _place(request)
    known = any({"network": one.network, "browser": one.browser} == here for one in rows)
    register = Act("Register this one", "/account/sessions/", method="post", hidden=(("device", "this"),))
    this = Item(here["browser"], f"in {here['network']}: not registered", icon="device-desktop", acts=(register,))
    return (*(() if known else (this,)), *map(_known_device, rows))


def _known_device(one: Device) -> Item:
    forget = Act("Forget it", "/account/sessions/", method="post", of=f"{one.browser} in {one.network}",
                 hidden=(("device", str(one.pk)),))  # fmt: skip
    return Item(
        one.browser, f"in {one.network}, registered {when(one.made)} UTC", icon="device-desktop", acts=(forget,)
    )


def _device(request: Any) -> HttpResponse:
    """Register the device that asks, or forget one of one's own: with a fresh second factor, either."""
    if not fresh(request):
        return prove(request)
    which = str(request.POST["device"])
    with acting_as(request.actor):
        mine = visible(request.actor, Device).filter(person=request.actor.person, ended_at=None)
        own = {str(pk) for pk in mine.values_list("pk", flat=True)}
    with suppress(ChangeError):  # it stands so already
        if which == "this":
            submit(RegisterDevice(person=str(request.actor.person), **_place(request)), actor=SYSTEM, why=SAID_SO)
        elif which in own:
            submit(ForgetDevice(device=which), actor=SYSTEM, why=SAID_SO)
    return HttpResponseRedirect("/account/sessions/")


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
