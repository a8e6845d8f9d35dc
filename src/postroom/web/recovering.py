"""*I cannot sign in*: a link by mail, and with it the second factor; without one, an owner agrees and a day passes.

Whatever address is typed, the answer and the work behind it are the same.
"""

from typing import Any

from allauth.mfa.base.forms import AuthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.forms import AuthenticateWebAuthnForm
from allauth.mfa.webauthn.internal.flows import auth as keys
from allauth.usersessions.models import UserSession
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from pydantic import TypeAdapter, ValidationError

from postroom.access import throttle
from postroom.access.acting import NoSuchLink
from postroom.access.declared import ASKED, CHANGE
from postroom.access.tokens import hashed
from postroom.changes.errors import ChangeError
from postroom.changes.kinds.recovery import SIGN_IN
from postroom.changes.recovery import ask_owner, asked, opened, regain
from postroom.models import Invite, Login, Person
from postroom.protocols import passwords
from postroom.protocols.addresses import MailAddress
from postroom.web.adapter import COMMON, SHORTEST
from postroom.web.door import ENROL, public
from postroom.web.entries import REMOVED, changed, entered
from postroom.web.often import too_many
from postroom.web.one_time import OneTime
from postroom.web.parts.forms import Field, Form
from postroom.web.parts.plain_pages import Notice, Recovery
from postroom.web.parts.shapes import Act
from postroom.web.signing import NEW_PASSWORD, enter

ADDRESS: TypeAdapter[str] = TypeAdapter(MailAddress)
AGAIN = Act("To the sign-in", "/sign-in/", weight="primary")
LINK = OneTime(
    "recovery", "/recover/set/",
    gone="It was used or replaced by a newer one, its hour is over, or password, factors or address changed since.",
    ask="Ask for a new one: I cannot sign in, on the page to sign in.",
)  # fmt: skip
link = LINK.opened
SENT = (
    "If it is the address of somebody who signs in here, a link is on its way there. It works once, for an hour, and"
    " asks for the second factor too.",
    "Nothing came? Look whether it is the address that you sign in with, and among what was sorted out as junk.",
)
WAITS = (
    "An owner of the organization has to agree, and will speak with you first; it is never done before a day has"
    " passed. Every owner, the postmaster and you got a letter by which each of you can stop it.",
    "After that a new link comes to your address. If you find your second factor meanwhile, ask for a link again.",
)


@public(GET="", POST=ASKED)
def ask(request: HttpRequest) -> HttpResponse:
    """Which address; answered alike for every one."""
    if request.method != "POST":
        return _ask(request, "")
    typed = request.POST.get("email", "").strip().lower()
    try:
        throttle.RECOVER_SOURCE(request.META.get("REMOTE_ADDR", ""))
        throttle.RECOVER_ADDRESS(hashed(typed))
    except throttle.TooMany as error:
        return too_many(request, error)
    try:
        email = ADDRESS.validate_python(typed)
    except ValidationError:
        return _ask(request, "Type a mail address")
    entered("recovery asked", None, source=request.META.get("REMOTE_ADDR", ""))
    asked(email)
    return _told(request, "Look into your mail", SENT)


def _ask(request: HttpRequest, error: str) -> HttpResponse:
    field = Field("email", "The address you sign in with", "email", error=error, required=True, autocomplete="username")
    page = Recovery(
        organization="", title="I cannot sign in", form=Form((field,), "Send me a link", "/recover/"),
        lead="A link comes by mail. With it you choose another password; your second factor is asked too.",
    )  # fmt: skip
    return render(request, "recover.html", {"page": page}, status=422 if error else 200)


@public(GET="", POST=CHANGE)
def choose(request: HttpRequest) -> HttpResponse:
    """Another password, with the proof that goes with the link."""
    kept = LINK.of(request)
    try:
        invite = opened(kept)
    except NoSuchLink:
        return LINK.no_good(request)
    person = invite.person
    if person is None:
        return LINK.no_good(request)
    if request.method != "POST":
        return _form(request, invite, person.login)
    if request.POST.get("lost") and invite.recovers != SIGN_IN:
        return _lost(request, kept, person)
    return _set(request, kept, invite, person)


def _lost(request: HttpRequest, kept: str, person: Person) -> HttpResponse:
    try:
        change = ask_owner(kept, person)
    except ChangeError as error:
        return _told(request, "Nothing was asked for", (str(error),), status=409)
    words = WAITS if change.stage in ("held", "scheduled") else tuple(v["reason"] for v in change.verdicts)
    return _told(request, "It waits for a second person", words)


def _set(request: HttpRequest, kept: str, invite: Invite, person: Person) -> HttpResponse:
    """First the password's own faults, so that no code is used up for nothing; then the factor; then all of it."""
    login, password = person.login, request.POST.get("password", "")
    if wrong := passwords.faults(password, context=person.email.split("@"), common=COMMON, shortest=SHORTEST):
        return _form(request, invite, login, wrong)
    if invite.recovers != SIGN_IN:
        proof = _proof(request, login)
        if not proof.is_valid():
            faults = [str(fault) for found in proof.errors.values() for fault in found]
            return _form(request, invite, login, factor=faults)
    try:
        change = regain(kept, person)
    except (ChangeError, NoSuchLink):
        return LINK.no_good(request)
    if change.version is None:
        return _told(request, "Nothing was changed", tuple(v["reason"] for v in change.verdicts), status=409)
    renewed(login, password, without_factors=invite.recovers == SIGN_IN)
    request.session.flush()
    if invite.recovers != SIGN_IN:
        return _told(request, "You have another password", ("Sign in with it, and with your second factor.",))
    enter(request, login, by="recovery, an owner agreed")
    return HttpResponseRedirect(ENROL)


def renewed(login: Login, password: str, *, without_factors: bool) -> None:
    """The login as it is after a recovery: another password, no session, and no factor where all of them were lost."""
    with transaction.atomic():
        login.set_password(password)
        login.save()
        for factor in Authenticator.objects.filter(user=login) if without_factors else ():
            factor.delete()
            REMOVED(sender=None, user=login, authenticator=factor)
        for session in UserSession.objects.filter(user=login):
            session.end()
        changed(None, login)
    entered("signed in again", login, by="recovery")


def _proof(request: HttpRequest, login: Login) -> Any:
    """The library's form for the factor that was shown: a code, or a passkey."""
    shape = AuthenticateWebAuthnForm if request.POST.get("credential") else AuthenticateForm
    return shape(user=login, data=request.POST)


def _form(
    request: HttpRequest, invite: Invite, login: Login, wrong: list[str] | None = None, factor: list[str] | None = None
) -> HttpResponse:
    hint, both = f"At least {SHORTEST} characters.", invite.recovers != SIGN_IN
    fields = [Field(**{**vars(NEW_PASSWORD), "error": " ".join(wrong or ()), "hint": hint})]
    if both:
        label, error = "Code of your app, or a recovery code", " ".join(factor or ())
        fields.append(Field("code", label, error=error, autocomplete="one-time-code"))
    page = Recovery(
        organization="", title="Choose another password", address=login.email, lost=both,
        form=Form(tuple(fields), "Set it", "/recover/set/"), passkey=both and _has_key(login),
        lead="With your second factor: a code, or a passkey." if both else "After that you set up a new second factor.",
    )  # fmt: skip
    shown: dict[str, Any] = {"page": page}
    if page.passkey:
        shown["js_data"] = {"request_options": keys.begin_authentication(login)}
    return render(request, "recover.html", shown, status=422 if wrong or factor else 200)


def _has_key(login: Login) -> bool:
    return bool(Authenticator.objects.filter(user=login, type=Authenticator.Type.WEBAUTHN).exists())


def _told(request: HttpRequest, title: str, words: tuple[str, ...], *, status: int = 200) -> HttpResponse:
    page = Notice(organization="", title=title, words=words, acts=(AGAIN,))
    return render(request, "notice.html", {"page": page}, status=status)
