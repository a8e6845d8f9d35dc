"""Single sign-on for staff, by one OpenID Connect provider. Whom it names is somebody known here, or nobody.

The first time, people link it themselves: signed in, or with the link of their invite, and only where the provider has
verified the very address of that person. After that the provider's own name for them counts, whatever address it has.
What it says of a second factor counts where the settings say so; else our own is asked.
"""

import time
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from allauth.account.internal.flows.login import perform_login, record_authentication
from allauth.account.internal.flows.reauthentication import resume_request
from allauth.account.models import Login as Arriving
from django.conf import settings
from django.contrib.auth import login as sign_in
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme

from postroom.access.acting import SYSTEM, NoSuchLink, acting_as
from postroom.access.declared import SIGN_IN
from postroom.access.scope import visible
from postroom.models import Login, Person, Subject
from postroom.protocols import oidc
from postroom.protocols.oidc import Asked, NotTrue
from postroom.web.door import public
from postroom.web.entries import entered
from postroom.web.parts.plain_pages import Notice
from postroom.web.parts.shapes import Act
from postroom.web.provider import back, provider, said_by
from postroom.web.signing import BACKEND, enrolled, invited
from postroom.web.step_up import FRESH, SSO_FACTOR, fresh, prove

KEPT = "sso"
LIVES = 600  # seconds for the way to the provider and back
AGAIN = "Single sign-on did not work. Begin again on the page to sign in."
UNLINKED = (
    "Nobody here signs in with this account. If you have a sign-in here, use it, and link the other under Your sign-in;"
    " if you have not, open the link of your invite first."
)


@public(GET="")
def start(request: HttpRequest) -> HttpResponse:
    """Off to the provider. What comes back is for this browser, once, within ten minutes."""
    if not settings.POSTROOM.oidc_issuer:
        raise Http404("no single sign-on here")
    wants = request.GET.get("for", "")
    if wants == "link" and request.user.is_authenticated and not fresh(request):
        return prove(request)
    asked = Asked.anew()
    try:
        where = oidc.url(
            provider().authorize, asked, client=settings.POSTROOM.oidc_client_id, back=back(), again=wants == "again"
        )
    except NotTrue as error:
        return _no(request, f"The provider of single sign-on: {error}.", 502)
    onward = request.GET.get("next", "/")
    safe = url_has_allowed_host_and_scheme(onward, None)
    kept = {**asked.kept(), "until": time.time() + LIVES, "for": wants, "next": onward if safe else "/"}
    request.session[KEPT] = kept
    return HttpResponseRedirect(where)


@public(GET=SIGN_IN)
def returned(request: HttpRequest) -> HttpResponse:
    """Back from the provider: whom it names, and what that opens."""
    kept = request.session.pop(KEPT, None)
    if not settings.POSTROOM.oidc_issuer or not kept or kept["until"] < time.time():
        return _no(request, AGAIN, 403)
    asked = Asked(kept["state"], kept["nonce"], kept["verifier"])
    try:
        code = oidc.code(request.GET, asked, issuer=settings.POSTROOM.oidc_issuer)
        said = said_by(provider(), code, asked)
        return _settled(request, kept, said)
    except NotTrue as error:
        return _refused(request, str(error))


def _settled(request: Any, kept: dict[str, Any], said: dict[str, Any]) -> HttpResponse:
    known = Subject.objects.filter(issuer=said["iss"], subject=said["sub"]).select_related("login").first()
    if request.user.is_authenticated:
        return _mine(request, kept, said, known)
    login = known.login if known else _by_invite(request, said)
    if login is None:
        return _refused(request, "nobody here is linked to it", UNLINKED)
    if _staff(login.person_id) is None:
        return _refused(request, "who it names may not sign in by it")
    return _in(request, login, kept, said)


def _in(request: Any, login: Login, kept: dict[str, Any], said: dict[str, Any]) -> HttpResponse:
    record_authentication(request, login, method="sso")
    if not oidc.second_factor(said, settings.POSTROOM.oidc_second_factors):
        answer: HttpResponse = perform_login(request, Arriving(user=login, redirect_url=kept["next"]))
        return answer  # our own factor is asked, or set up
    request.signed_in_by = "single sign-on with its second factor"
    sign_in(request, login, backend=BACKEND)
    _shown(request, login)
    return HttpResponseRedirect(kept["next"])


def _shown(request: Any, login: Login) -> None:
    """The provider's factor counts as ours, from now."""
    request.session[SSO_FACTOR] = True
    record_authentication(request, login, method="mfa", type="sso", reauthenticated=True)


def _mine(request: Any, kept: dict[str, Any], said: dict[str, Any], known: Subject | None) -> HttpResponse:
    """Signed in already: to link it, or to show its factor once more."""
    login = request.user
    if known is not None and known.login_id != login.pk:
        return _refused(request, "it is linked to somebody else")
    if kept["for"] == "again" and known is not None:
        lately = float(said.get("auth_time", 0)) > time.time() - FRESH
        if not lately or not oidc.second_factor(said, settings.POSTROOM.oidc_second_factors):
            return _refused(request, "it showed no second factor just now")
        _shown(request, login)
        request.GET = QueryDict(urlencode({"next": kept["next"]}))
        return resume_request(request) or HttpResponseRedirect(kept["next"])
    if kept["for"] != "link":
        return HttpResponseRedirect("/")
    if known is None:
        person = _staff(login.person_id)
        if not fresh(request) or person is None or oidc.address(said) != person.email:
            return _refused(request, "its verified address is not the one of this sign-in")
        linked(login, said)
    return HttpResponseRedirect("/account/")


def _by_invite(request: Any, said: dict[str, Any]) -> Login | None:
    """Somebody opened the link of their invite before: it is spent, and this account is theirs from now on."""
    try:
        invite, actor = invited(request)
    except NoSuchLink:
        return None
    person = _staff(invite.person_id)
    if person is None or not invite.by_mail or oidc.address(said) != person.email:
        return None
    login = enrolled(request, actor, invite, None, signs_in=False)
    if login is not None:
        linked(login, said)
    return login


def linked(login: Login, said: dict[str, Any]) -> None:
    try:
        with transaction.atomic():
            Subject.objects.create(issuer=said["iss"], subject=said["sub"], login=login)
    except IntegrityError:
        raise NotTrue("it was linked meanwhile") from None
    entered("single sign-on linked", login, issuer=said["iss"])


def _staff(person: UUID | None) -> Person | None:
    """One of the staff, who may sign in at all, as the row is now; None for anybody else."""
    with acting_as(SYSTEM):
        now = visible(SYSTEM, Person).filter(pk__in=[person], client=None, suspended_at=None, removed_at=None)
        found: Person | None = now.first()
        return found


def _refused(request: HttpRequest, because: str, words: str = "") -> HttpResponse:
    """403 and an entry; what was wrong with the answer is for the record, not for who brought it."""
    entered("sign-in failed", None, source=request.META.get("REMOTE_ADDR", ""), because=f"single sign-on: {because}")
    return _no(request, words or AGAIN, 403)


def _no(request: HttpRequest, words: str, status: int) -> HttpResponse:
    acts = (Act("To the sign-in", "/sign-in/", weight="primary"),)
    page = Notice(organization="", title="Not signed in", words=(words,), acts=acts)
    return render(request, "notice.html", {"page": page}, status=status)
