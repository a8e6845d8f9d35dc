"""*I cannot get into my mailbox*: back in by the recovery code, or by a link to a recovery address.

Whatever address is typed, the answer, and when it comes, is the same. A code or a link works once.
"""

import time
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from postroom.access import throttle
from postroom.access.acting import CLOCK, SYSTEM, Actor, NoSuchLink, NoSuchOwner, Own, acting_as, own_of, owner_at
from postroom.access.declared import ASKED, CHANGE
from postroom.access.scope import visible
from postroom.access.tokens import hashed, hashed_code, recovery_code
from postroom.changes.errors import ChangeError
from postroom.changes.kind import KINDS
from postroom.changes.pipeline import submit
from postroom.changes.record import note
from postroom.changes.state import seconds
from postroom.models import Due, Invite
from postroom.protocols import passwords
from postroom.web.door import public
from postroom.web.entries import entered as recorded
from postroom.web.entries import of_mailbox
from postroom.web.mailbox_door import SIGN_IN, entered, reasons, told
from postroom.web.mailbox_secrets import faults, shown, twice
from postroom.web.mailbox_sign_in import typed_address, wait
from postroom.web.often import too_many
from postroom.web.one_time import OneTime
from postroom.web.parts.forms import Field, Form
from postroom.web.parts.plain_pages import OwnerForm
from postroom.web.parts.shapes import Act

MAILBOX = "mailbox"
NOBODY = UUID(int=0)
RECENT = "/mailbox/recent/"
NOT_THEM = "That is not the address and recovery code of a mailbox that is open here."
SENT = (
    "If it is a mailbox here that has a recovery address, a link is on its way there. It works once, for an hour.",
    "Nothing came? A recovery address counts once it is confirmed and a week old. Ask whoever runs your mail.",
)
LINK = OneTime(
    "mailbox recovery", "/mailbox/recover/set/",
    gone="It was used, or another one mailed for the same was; its hour is over; or the password was changed since.",
    ask="Ask for a new one, or use your recovery code.",
)  # fmt: skip
link = LINK.opened


@public(GET="", POST=CHANGE)
def by_code(request: HttpRequest) -> HttpResponse:
    """The new password's own faults first, so that no code is spent for nothing."""
    if request.method != "POST":
        return _code_form(request)
    came, source = time.monotonic(), str(request.META.get("REMOTE_ADDR", ""))
    try:
        throttle.MAILBOX_RESET(source)
    except throttle.TooMany as error:
        return too_many(request, error)
    address = typed_address(request.POST.get("address", ""))
    own = owner_at(address) if address else None
    return _coded(request, address, own) or _not_them(request, own, came, source)


def _coded(request: HttpRequest, address: str, own: Own | None) -> HttpResponse | None:
    """None for a wrong code. Until it is right, what is said of the password depends on the address alone."""
    typed, repeated = request.POST.get("password", ""), request.POST.get("again", "")
    if wrong := faults(typed, repeated, address):
        return _code_form(request, password=wrong)
    actor = holder(own, hashed_code(request.POST.get("code", "")))
    try:
        with acting_as(actor) as access:
            named = (access.own.client_name, access.own.name) if access.own else ()
    except NoSuchOwner:
        return None
    if wrong := faults(typed, repeated, address, *named):
        return _code_form(request, password=wrong)
    return _reset(request, actor, typed, "the recovery code")


def _not_them(request: HttpRequest, own: Own | None, came: float, source: str) -> HttpResponse:
    _failed(own, source)
    wait(came)
    return _code_form(request, wrong=NOT_THEM)


def holder(own: Own | None, code: str) -> Actor:
    """Whoever has this code; for an address that is no mailbox's, one that opens none."""
    mailbox, epoch = (own.mailbox, own.epoch) if own else (NOBODY, 0)
    return Actor(None, "whoever had the recovery code", "code", code, mailbox=mailbox, epoch=epoch)


def _failed(own: Own | None, source: str) -> None:
    with acting_as(SYSTEM):
        if own is not None:
            of_mailbox("recovery code failed", own.mailbox, own.client, own.address, source=source)
        else:
            note("recovery code failed", client=None, person="", source=source)


@public(GET="", POST=ASKED)
def by_mail(request: HttpRequest) -> HttpResponse:
    """The clock looks whose address it is, so that here no answer depends on it."""
    if request.method != "POST":
        return _mail_form(request)
    if not (address := typed_address(request.POST.get("address", ""))):
        return _mail_form(request, "Type a mail address")
    source = str(request.META.get("REMOTE_ADDR", ""))
    try:
        throttle.MAILBOX_RESET(source)
        throttle.RECOVER_ADDRESS(f"mailbox {hashed(address)}")
    except throttle.TooMany as error:
        return too_many(request, error)
    recorded("recovery asked", None, source=source)
    with acting_as(CLOCK):
        Due.objects.create(at=seconds(timezone.now()), kind="mailboxes.forgot", params={"email": address})
    return told(request, "Look into your other mail", *SENT, to=SIGN_IN)


@public(GET="", POST=CHANGE)
def by_link(request: HttpRequest) -> HttpResponse:
    """Another password, by the link that was opened in this browser."""
    actor = Actor(None, "whoever opened the link", "link", LINK.of(request))
    try:
        own = opened(actor)
    except NoSuchLink:
        return LINK.no_good(request)
    if request.method != "POST":
        return _link_form(request, own)
    typed = request.POST.get("password", "")
    if wrong := faults(typed, request.POST.get("again", ""), own.address, own.client_name, own.name):
        return _link_form(request, own, wrong)
    return _reset(request, actor, typed, "a mailed link", own) or LINK.no_good(request)


def opened(actor: Actor) -> Own:
    """The mailbox of a good link; NoSuchLink for one unknown, used, void or too old, or whose mailbox is shut."""
    with acting_as(actor) as access:
        good = visible(actor, Invite).filter(pk=access.invite or NOBODY, recovers=MAILBOX, used_at=None, ended_at=None)
        invite = good.filter(until__gt=timezone.now()).first()
        own = own_of(invite.mailbox_id) if invite and invite.mailbox_id else None
    if own is None:
        raise NoSuchLink("no such link")
    return own


def _reset(request: HttpRequest, actor: Actor, typed: str, by: str, own: Own | None = None) -> HttpResponse | None:
    """All or nothing; None where code or link is no good (any more). Then signed in, with another code to keep."""
    drawn, kept = recovery_code()
    values = {"password": passwords.hashed(typed), "recovery code": kept}
    try:
        done = submit(KINDS["secrets.reset"](), actor=actor, why=f"its owner is back, by {by}", secrets=values)
    except (ChangeError, NoSuchOwner, NoSuchLink):
        return None
    if done.stage == "stale" or (done.version is None and not _still(actor)):
        return None  # somebody was quicker with the same one
    if done.version is None:
        return told(request, "Nothing was changed", f"{reasons(done)}. It stays good; try again later.", status=409,
                    to=SIGN_IN)  # fmt: skip
    now = own_of(actor.mailbox or (own.mailbox if own else NOBODY))
    if now is None:
        return None
    request.session.flush()
    entered(request, now, by=by)
    return shown(request, now, drawn, done, set_what="Password set", onward=RECENT, words="I have kept it")


def _still(actor: Actor) -> bool:
    """Whether the code, or the link, is good as it was when it was brought."""
    if actor.mailbox is not None:
        return own_of(actor.mailbox, actor.epoch, actor.code) is not None
    try:
        return bool(opened(actor))
    except NoSuchLink:
        return False


def _code_form(request: HttpRequest, *, wrong: str = "", password: str = "") -> HttpResponse:
    address = request.POST.get("address", "")[:254]
    fields = (
        Field("address", "Your mail address", "email", value=address, required=True, autocomplete="username"),
        Field("code", "Your recovery code", error=wrong, required=True, hint="Six groups of five."),
        *twice(password),
    )
    page = OwnerForm(
        organization="", title="Back into your mailbox", lead="By the recovery code that you kept. It works once; you "
        "get another.", form=Form(fields, "Set my password", "/mailbox/recover/"), back=Act("To the sign-in", SIGN_IN),
        other=Act("I have no code: mail me a link", "/mailbox/recover/mail/"),
    )  # fmt: skip
    return render(request, "owner/form.html", {"page": page}, status=422 if wrong or password else 200)


def _mail_form(request: HttpRequest, wrong: str = "") -> HttpResponse:
    fields = (Field("address", "Your mail address", "email", error=wrong, required=True, autocomplete="username"),)
    page = OwnerForm(
        organization="", title="Back into your mailbox", back=Act("To the sign-in", SIGN_IN),
        lead="A link goes to its recovery addresses, never to the mailbox itself.",
        form=Form(fields, "Send the link", "/mailbox/recover/mail/"),
        other=Act("I have my recovery code", "/mailbox/recover/"),
    )  # fmt: skip
    return render(request, "owner/form.html", {"page": page}, status=422 if wrong else 200)


def _link_form(request: HttpRequest, own: Own, wrong: str = "") -> HttpResponse:
    page = OwnerForm(
        organization="", client=own.client_name, title="Choose another password", address=own.address,
        lead="Every session of the mailbox ends, and you get another recovery code.",
        form=Form(twice(wrong), "Set my password", "/mailbox/recover/set/"), back=Act("To the sign-in", SIGN_IN),
    )  # fmt: skip
    return render(request, "owner/form.html", {"page": page}, status=422 if wrong else 200)
