"""Set-up of mail apps: the documents they look for, a profile for Apple's devices, and the same in words with a code.

Whoever asks, and for whichever address: the answer is made of the settings and of what was asked, and no mailbox or
domain is looked up, so it tells nothing of who is there. Links start with the configured origin, whatever Host says.
"""

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from postroom.access.acting import SYSTEM, acting_as
from postroom.access.scope import visible
from postroom.models import MailApp, Organization
from postroom.models.credentials import PROTOCOLS
from postroom.protocols import autoconfig, autodiscover, mobileconfig
from postroom.protocols.addresses import BadAddress, address
from postroom.protocols.mail_settings import MailSettings, OAuth
from postroom.protocols.qr_code import qr_code
from postroom.web.door import public
from postroom.web.oauth import AUTHORIZE, TOKEN
from postroom.web.parts.forms import Field, Form
from postroom.web.parts.plain_pages import SetUp

XML = "application/xml; charset=utf-8"
PLAIN = "text/plain; charset=utf-8"
ASKED = "emailaddress"
# For every address alike: whether a client's mail is opened with app passwords alone would say that it is here.
PASSWORD = "an app password that you made on your mailbox’s page; or the one you chose yourself, where that opens mail"
SET_UP, PROFILE = "/setup/", "/setup/profile.mobileconfig"


@public(GET="")
def config(request: HttpRequest) -> HttpResponse:
    """Mozilla's autoconfig."""
    try:
        domain = _typed(request).rpartition("@")[2]
    except BadAddress as wrong:
        return _bad(wrong)
    return HttpResponse(autoconfig.document(told(), domain), content_type=XML)


# No form of ours: Outlook posts XML here, which changes nothing and is answered alike whoever's cookies come along.
@csrf_exempt
@public(GET="", POST="")
def discover(request: HttpRequest) -> HttpResponse:
    """Outlook's autodiscover. What cannot be answered is said in the protocol's own way, with 200."""
    try:
        if request.method != "POST":
            raise autodiscover.Refused(autodiscover.INVALID, "post a request here")
        answer = autodiscover.document(told(), autodiscover.asked(_body(request)))
    except autodiscover.Refused as why:
        answer = autodiscover.refusal(why, timezone.now())
    return HttpResponse(answer, content_type=XML)


def _body(request: HttpRequest) -> bytes:
    """What was posted; of more than is ever read, just enough to say so."""
    return request.read(autodiscover.LONGEST + 1)


@public(GET="")
def profile(request: HttpRequest) -> HttpResponse:
    """Apple's configuration profile."""
    try:
        typed = _typed(request)
        if not typed:
            raise BadAddress("a whole address is needed, like mia@acme.example")
    except BadAddress as wrong:
        return _bad(wrong)
    answer = HttpResponse(mobileconfig.profile(told(), typed), content_type=mobileconfig.TYPE)
    answer["Content-Disposition"] = 'attachment; filename="mail.mobileconfig"'
    return answer


@public(GET="")
def set_up(request: HttpRequest) -> HttpResponse:
    """The settings in words; for an address, a profile to download and a code that leads a phone here."""
    asked = str(request.GET.get(ASKED, ""))
    try:
        typed, wrong = _typed(request), ""
    except BadAddress as error:
        typed, wrong = "", str(error)
    of = told()
    field = Field(ASKED, "Your mail address", "email", asked[:300], error=wrong, required=True, autocomplete="email")
    here = f"?{urlencode({ASKED: typed})}" if typed else ""
    page = SetUp(
        organization=of.organization, address=typed, form=Form((field,), "Show", SET_UP), settings=in_words(of, typed),
        profile_url=PROFILE + here if typed else "", qr=qr_code(settings.POSTROOM.origin + SET_UP + here),
    )  # fmt: skip
    return render(request, "setup.html", {"page": page}, status=422 if wrong else 200)


def told() -> MailSettings:
    """What apps are told here."""
    env = settings.POSTROOM
    with acting_as(SYSTEM):
        name = visible(SYSTEM, Organization).values_list("name", flat=True).first()
        asks = bool(env.token_keys_file) and visible(SYSTEM, MailApp).filter(ended_at=None).exists()
    oauth = OAuth(env.origin, env.origin + AUTHORIZE, env.origin + TOKEN, " ".join(PROTOCOLS)) if asks else None
    return MailSettings(
        name or env.mail_host, env.mail_host, env.imaps_port, env.submissions_port, env.origin + SET_UP, oauth
    )


def in_words(of: MailSettings, whose: str = "") -> tuple[tuple[str, str], ...]:
    """(what, value) as somebody types it into a phone or a computer."""
    return (
        ("Incoming (IMAP)", f"{of.host}, port {of.imaps}, TLS"),
        ("Outgoing (SMTP)", f"{of.host}, port {of.submissions}, TLS"),
        ("User name", whose or "your whole address"),
        ("Password", PASSWORD),
    )


def _typed(request: HttpRequest) -> str:
    """The address that was asked for; empty where none was. BadAddress."""
    asked = str(request.GET.get(ASKED, ""))
    return address(asked) if asked else ""


def _bad(wrong: Any) -> HttpResponse:
    return HttpResponse(f"{ASKED}: {wrong}\n", status=400, content_type=PLAIN)
