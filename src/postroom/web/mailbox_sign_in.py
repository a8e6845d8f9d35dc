"""A mailbox's owner signs in with the address and its main password, which the mail node looks at; and out again.

Whoever is refused is told the same, at the same time, whatever it was: no such address, another password, a suspended
mailbox. Failures count at the mail node, with those of every mail protocol.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore, Condition

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from pydantic import TypeAdapter, ValidationError

from postroom.access import throttle
from postroom.access.acting import SYSTEM, Own, acting_as, owner_at
from postroom.access.declared import SIGN_IN as RECORDED
from postroom.changes.record import note
from postroom.engines.dovecot_auth import NotAnswered, is_password
from postroom.engines.sign_in_counts import source_of
from postroom.protocols import passwords
from postroom.protocols.addresses import MailAddress
from postroom.web.door import public
from postroom.web.entries import of_mailbox
from postroom.web.mailbox_door import ONWARD, PAGE, SIGN_IN, entered, mailbox_act, owner_of, told
from postroom.web.often import too_many
from postroom.web.parts.forms import Field, Form
from postroom.web.parts.plain_pages import OwnerSignIn
from postroom.web.parts.shapes import Act

ADDRESS: TypeAdapter[str] = TypeAdapter(MailAddress)
NOBODY = "nobody@invalid"  # what the mail node refuses, where no address was typed
WRONG = "That is not the address and password of a mailbox that is open here."
AWAY = "Passwords cannot be looked at just now: the mail server does not answer. Try again in a minute."
BEHIND = "The password is new, and on its way to the mail server. Try again in a minute."
TICK = 1.0  # seconds; a refusal leaves at a whole number of these, so that how long the look took does not show
AT_ONCE = 2  # of the four threads of a process; the mail node keeps whoever guesses waiting, and pages go on meanwhile
asking = BoundedSemaphore(AT_ONCE)  # strangers, at the sign-in
again = BoundedSemaphore(1)  # owners who are signed in: whoever guesses at the sign-in keeps none of them waiting
PATIENCE = 1.0  # seconds that somebody waits for their turn
turns, at_it = Condition(), set[str]()  # sources of strangers whose question is being answered
LOOPBACK_6 = source_of("::1")


@public(GET="", POST=RECORDED)
def sign_in(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        return _signed_in(request)
    return HttpResponseRedirect(PAGE) if owner_of(request) else _form(request)


def _signed_in(request: HttpRequest) -> HttpResponse:
    """Which mailbox it is, is read before the password is looked at: an end that comes meanwhile counts."""
    came, source = time.monotonic(), str(request.META.get("REMOTE_ADDR", ""))
    try:
        throttle.MAILBOX_SIGN_IN(source)
    except throttle.TooMany as error:
        return too_many(request, error)
    address = typed_address(request.POST.get("address", ""))
    own = owner_at(address) if address else None
    try:
        with _turn(source_of(source)):
            right = looked_at(address or NOBODY, request.POST.get("password", ""), source, asking)
    except NotAnswered:
        return _form(request, AWAY, status=503)
    if right and own is not None and not own.behind:
        onward = request.session.pop(ONWARD, PAGE)
        entered(request, own)
        return HttpResponseRedirect(onward)
    if right and own is not None:
        refused(own, source, because="its node had not taken the newest change")
        return _form(request, BEHIND, status=409)
    refused(own, source)
    wait(came)
    return _form(request, WRONG, status=422)


def typed_address(text: str) -> str:
    """An address as it is kept; empty for what is none."""
    try:
        return ADDRESS.validate_python(text.strip().lower())
    except ValidationError:
        return ""


def looked_at(address: str, password: str, source: str, slots: BoundedSemaphore) -> bool:
    """Whether it is the main password of this mailbox, by the mail node. NotAnswered, too, while too many ask.

    slots: how many may ask at once, `asking` or `again`.
    """
    where = settings.POSTROOM.mailbox_auth
    if where is None or not slots.acquire(timeout=PATIENCE):
        raise NotAnswered("no mail node to ask, or too many who do")
    try:
        return is_password(where, address, passwords.typed(password), source)
    finally:
        slots.release()


@contextmanager
def _turn(source: str) -> Iterator[None]:
    """One question of a source at a time: so whoever guesses takes one of the slots, and not all. NotAnswered.

    Not of what comes from this machine: that is a proxy, and behind it is everybody.
    """
    if source in ("", "127.0.0.1", LOOPBACK_6):
        yield
        return
    with turns:
        if not turns.wait_for(lambda: source not in at_it, timeout=PATIENCE):
            raise NotAnswered("another question of this source is not answered yet")
        at_it.add(source)
    try:
        yield
    finally:
        with turns:
            at_it.discard(source)
            turns.notify_all()


def wait(came: float, now: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep) -> None:
    """Until the next tick since it came."""
    sleep(TICK - (now() - came) % TICK)


def refused(own: Own | None, source: str, **why: str) -> None:
    """An entry: at its client where it is some mailbox's. What was typed is not kept."""
    with acting_as(SYSTEM):
        if own is not None:
            of_mailbox("sign-in failed", own.mailbox, own.client, own.address, source=source, **why)
        else:
            note("sign-in failed", client=None, person="", source=source, where="mailbox")


@mailbox_act(recorded=RECORDED)
def sign_out(request: HttpRequest) -> HttpResponse:
    logout(request)
    return told(request, "You are signed out", "This browser is not signed in to your mailbox any more.", to=SIGN_IN)


def _form(request: HttpRequest, wrong: str = "", *, status: int = 200) -> HttpResponse:
    typed = request.POST.get("address", "")[:254]
    fields = (
        Field("address", "Your mail address", "email", value=typed, required=True, autocomplete="username"),
        Field("password", "Its password", "password", error=wrong, required=True, autocomplete="current-password"),
    )
    lost = Act("I cannot get in", "/mailbox/recover/", icon="key")
    page = OwnerSignIn(organization="", form=Form(fields, "Sign in", SIGN_IN), acts=(lost,))
    return render(request, "owner/sign_in.html", {"page": page}, status=status)
