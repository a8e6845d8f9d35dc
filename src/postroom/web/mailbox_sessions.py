"""Where a mailbox is open now, and who signed in to it or tried: to its owner, who ends one of them or all."""

from typing import Any

from allauth.usersessions.models import UserSession
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path
from pydantic import ValidationError

from postroom.access.acting import own_of
from postroom.changes.errors import NothingToDo
from postroom.changes.kind import KINDS
from postroom.changes.pipeline import submit
from postroom.models import Credential, LiveSession, SignIn
from postroom.models.credentials import OAUTH
from postroom.queries.owning import Devices, devices
from postroom.queries.sign_ins import Now, own_history, own_live
from postroom.web import mailbox_browsers
from postroom.web.door import by_method
from postroom.web.mailbox_door import PAGE, SAFE, Asked, again, mailbox_act, mailbox_page, reasons, told
from postroom.web.parts.plain_pages import OwnerParts, OwnerStory, Part
from postroom.web.parts.shapes import Act, Badge, Code, Item, Strong, Words
from postroom.web.times import when

HERE, HISTORY = "/mailbox/sessions/", "/mailbox/sign-ins/"
ITEMS = "owner/parts/items.html"
DOES = {"imap": "reads mail", "submission": "sends mail", "sieve": "sorts mail", "managesieve": "sorts mail",
        "web": "opened these pages"}  # fmt: skip
MAIN = "The password of the mailbox"
ENDED = (
    "Every phone, computer and browser is signed out in a few seconds, but for this one.",
    "Whoever knows the password, or has an app password, can sign in again, and so can a mail app that is let in. If "
    "one of them was not you, choose another password and end that app password, or what let that app in.",
)
ONE_ENDED = {
    "app_password": "It is signed out in a few seconds. It can sign in again; to stop that, end its app password.",
    "consent": "It is signed out in a few seconds. It can sign in again; to stop that, end what lets the app in.",
}


@mailbox_page
def sessions(request: Asked) -> HttpResponse:
    mailbox = request.own.mailbox
    named, now = devices(request.actor, mailbox), own_live(request.actor, mailbox)
    here = mailbox_browsers.browsers(request)
    live = [one for one in named.values() if one.ended_at is None]
    parts = (
        Part("Phones, computers and mail programs", ITEMS, _programs(now, named)),
        *([Part("Sign out one device", ITEMS, tuple(map(_device, live)))] if live else []),
        Part("Browsers signed in to these pages", ITEMS, tuple(_browser(request, one) for one in here)),
    )
    page = OwnerParts(
        organization="", client=request.own.client_name, title="Where you are signed in",
        lead="One that you do not know: sign out everywhere else, then choose another password.", parts=parts,
        acts=(Act("Sign out everywhere else", HERE, weight="danger", method="post"),
              Act("Who signed in lately", HISTORY, "history")),
    )  # fmt: skip
    return render(request, "owner/parts.html", {"page": page})


def _programs(now: Now, named: Devices) -> tuple[Item, ...]:
    """Nobody is said only where the node has just listed who is there."""
    if not now.known:
        last = f"The mail server last said it {when(now.at)} UTC." if now.at else "The mail server has never said it."
        return (Item((Badge("unknown", "unknown"), "who is signed in now"), last, icon="question-mark"),)
    if not now.sessions:
        return (Item("None is signed in", f"as the mail server said {when(now.at, seconds=True)} UTC", icon="check"),)
    return tuple(_program(one, named) for one in now.sessions)


def _program(one: LiveSession, named: Devices) -> Item:
    since = (f"· since {when(one.since)} UTC",) if one.since else ()
    return Item(_opened_by(one.credential, named), (_how(one.protocol, one.program), *_where(one.address), *since),
                icon="device-desktop")  # fmt: skip


def _device(one: Credential) -> Item:
    """Whatever it opened, also where a mail server does not say of a session by what it was opened (Dovecot 2.3)."""
    let_in = one.sort == OAUTH
    which = "consent" if let_in else "app_password"
    end = Act("Sign out", HERE, method="post", of=one.name, hidden=((which, str(one.pk)),))
    stays = "its app stays let in" if let_in else "its app password stays good"
    return Item(Strong(one.name), f"{stays}, so it can sign in again", icon="device-mobile", acts=(end,))


def _opened_by(credential: str, named: Devices) -> Words:
    """The device, as its owner called it."""
    if device := named.get(credential):
        over = "its app is let in no more" if device.sort == OAUTH else "its app password has ended"
        return (Strong(device.name), Badge("fact", over) if device.ended_at else "")
    if credential == "main":
        return MAIN
    if not credential:
        return (Badge("unknown", "not known"), "which password")
    return "An app that is let in no more" if credential.startswith("oauth:") else "An app password that is gone"


def _how(protocol: str, program: str) -> str:
    does = DOES.get(protocol, protocol)
    return f"{does} with {program[:80]}" if program else does


def _where(address: str) -> tuple[Any, ...]:
    return ("· from", Code(address)) if address else ("· from where is not known",)


def _browser(request: Asked, one: UserSession) -> Item:
    here = mailbox_browsers.is_this(request, one)
    end = Act("End it", HERE, method="post", of=f"the browser at {one.ip}", hidden=(("browser", str(one.pk)),))
    program = one.user_agent[:120] or "a browser that does not say which"
    sub = (program, f"· since {when(one.created_at)}, last seen {when(one.last_seen_at)} UTC")
    return Item(Code(one.ip), sub, icon="device-desktop", badge=Badge("good", "This one") if here else None,
                acts=() if here else (end,))  # fmt: skip


@mailbox_act()
def end(request: Asked) -> HttpResponse:
    """One browser, what one device opened, or all of it. It only closes, so nothing is asked with it."""
    if browser := request.POST.get("browser"):
        mailbox_browsers.end(request, browser)
        return HttpResponseRedirect(HERE)
    which = next((one for one in ONE_ENDED if request.POST.get(one)), "")
    device = request.POST.get(which)
    asked: dict[str, Any] = {"mailbox": request.own.address, "app_password": device or None}
    try:
        done = submit(KINDS["mailboxes.end_sessions"].model_validate(asked), actor=request.actor, why="by its owner")
    except (NothingToDo, ValidationError):
        return told(request, "Nothing was changed", "It was not said which one.", status=422)
    if done.version is None:
        return told(request, "Nothing was changed", reasons(done), status=409)
    if device:
        return told(request, "That device is signed out", ONE_ENDED[which])
    if own := own_of(request.own.mailbox):
        again(request, own)
    return told(request, "You are signed out everywhere else", *ENDED, to=SAFE if "safe" in request.POST else PAGE)


@mailbox_page
def sign_ins(request: Asked) -> HttpResponse:
    """All of it, page by page."""
    after = request.GET.get("after", "")
    after = after if after.isascii() and after.isdecimal() and len(after) < 19 else ""
    found = own_history(request.actor, request.own.mailbox, after=after)
    named = devices(request.actor, request.own.mailbox)
    page = OwnerStory(
        organization="", client=request.own.client_name, title="Who signed in to your mailbox",
        lead="And who tried, in the last 90 days. Was one of them not you? Then see what to do.",
        items=tuple(_signed_in(one, named) for one in found.items), none="The mail server has told of none.",
        further=Act("Earlier", f"{HISTORY}?after={found.next}") if found.next else None,
        acts=(Act("This was not me", SAFE, "alert-triangle", "asks"),),
    )  # fmt: skip
    return render(request, "owner/story.html", {"page": page})


def _signed_in(one: SignIn, named: Devices) -> Item:
    times = f"{one.times} times within an hour" if one.times > 1 else ""
    how = f"· {_how(one.protocol, one.program)}" if one.success else one.program and f"· with {one.program[:80]}"
    sub = (f"{when(one.at)} UTC", how, *_where(one.address), times and f"· {times}")
    if one.success:
        return Item(_opened_by(one.credential, named), sub, icon="check")
    words = "refused: too many tries" if one.refused else "wrong password"
    return Item(_opened_by(one.credential, named) if one.credential else "Somebody tried", sub, "warn",
                badge=Badge("warn", words))  # fmt: skip


URLS: list[URLPattern] = [
    path("mailbox/sessions/", by_method(GET=sessions, POST=end), name="own-sessions"),
    path("mailbox/sign-ins/", by_method(GET=sign_ins), name="own-sign-ins"),
]
