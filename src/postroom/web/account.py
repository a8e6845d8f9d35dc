"""One's own sign-in: the sign-in library's pages that are open here, and those that are closed.

Nobody signs up and nobody resets by mail: people come by the link of their invite. What is closed keeps its name,
since the library's own pages ask for it, and answers 404.
"""

from typing import Any

from allauth.account import views as account
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as keys
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, URLResolver, path

from postroom.access.declared import ALWAYS, SIGN_IN, SOMETIMES
from postroom.models import Login, Subject
from postroom.web.door import own, public, wants_factor
from postroom.web.often import guessed
from postroom.web.own_sessions import sessions
from postroom.web.parts.plain_pages import Notice
from postroom.web.parts.shapes import Act


@public(GET="", POST="")
def closed(request: HttpRequest, **_: object) -> HttpResponse:
    raise Http404("closed here")


def enrol(request: HttpRequest) -> HttpResponse:
    """The one page that answers until there is a second factor."""
    if not wants_factor(request):
        return HttpResponseRedirect("/")
    urls = {"enrol_url": "/account/2fa/totp/activate/", "passkey_url": "/account/2fa/webauthn/add/"}
    return render(request, "enrol.html", urls)


def overview(request: Any) -> HttpResponse:
    """What there is to one's own sign-in."""
    env = settings.POSTROOM
    acts = [
        Act("Second factors and recovery codes", "/account/2fa/", icon="shield-lock"),
        Act("Where you are signed in", "/account/sessions/", icon="device-desktop"),
    ]
    if env.oidc_issuer and not Subject.objects.filter(login=request.user, issuer=env.oidc_issuer).exists():
        acts.append(Act(f"Link {env.oidc_label}", "/sign-in/sso/?for=link", icon="key"))
    if request.user.has_usable_password():
        acts.append(Act("Another password", "/account/password/", icon="lock"))
    acts.append(Act("To the overview", "/", icon="arrow-left"))
    page = Notice(organization="", title="Your sign-in", words=(f"{request.actor.name}, {request.user.email}",),
                  acts=tuple(acts))  # fmt: skip
    return render(request, "notice.html", {"page": page})


def theme(request: Any) -> HttpResponse:
    """Light or dark, from now on."""
    wanted = "dark" if request.POST.get("theme") == "dark" else "light"
    Login.objects.filter(pk=request.user.pk).update(theme=wanted)
    back = str(request.POST.get("next", "/"))
    return HttpResponseRedirect(back if back.startswith("/") and not back.startswith(("//", "/\\")) else "/")


SIGNED_OUT: list[URLPattern | URLResolver] = [
    path("sign-in/", public(GET="", POST=SIGN_IN)(guessed(account.login)), name="account_login"),
    path("sign-in/factor/", public(GET="", POST=SIGN_IN)(guessed(mfa.authenticate)), name="mfa_authenticate"),
    path("sign-in/passkey/", public(GET="", POST=SIGN_IN)(keys.login_webauthn), name="mfa_login_webauthn"),
    path("account/inactive/", public(GET="")(account.account_inactive), name="account_inactive"),
    path("account/signup/", closed, name="account_signup"),
    path("account/email/", closed, name="account_email"),
    path("account/confirm-email/", closed, name="account_email_verification_sent"),
    path("account/password/set/", closed, name="account_set_password"),
    path("account/password/reset/", closed, name="account_reset_password"),
]
BEFORE_FACTOR: list[URLPattern | URLResolver] = [
    path("enrol/", own(enrol, before_factor=True, GET=""), name="enrol"),
    path("account/logout/", own(account.logout, before_factor=True, GET="", POST=SIGN_IN), name="account_logout"),
    path("account/reauthenticate/", own(account.reauthenticate, before_factor=True, GET="", POST=SIGN_IN),
         name="account_reauthenticate"),
    path("account/2fa/totp/activate/", own(totp.activate_totp, before_factor=True, GET="", POST=SIGN_IN),
         name="mfa_activate_totp"),
    path("account/2fa/webauthn/add/", own(keys.add_webauthn, before_factor=True, GET="", POST=SIGN_IN),
         name="mfa_add_webauthn"),
    path("theme/", own(theme, before_factor=True, POST=""), name="theme"),
]  # fmt: skip
SIGNED_IN: list[URLPattern | URLResolver] = [
    path("account/", own(overview, GET=""), name="account"),
    path("account/password/", own(account.password_change, step_up=ALWAYS, GET="", POST=SIGN_IN),
         name="account_change_password"),
    path("account/sessions/", own(sessions, step_up=SOMETIMES, GET="", POST=SIGN_IN), name="usersessions_list"),
    path("account/2fa/", own(mfa.index, GET=""), name="mfa_index"),
    path("account/2fa/reauthenticate/", own(guessed(mfa.reauthenticate), GET="", POST=SIGN_IN),
         name="mfa_reauthenticate"),
    path("account/2fa/totp/deactivate/", own(totp.deactivate_totp, GET="", POST=SIGN_IN),
         name="mfa_deactivate_totp"),
    path("account/2fa/recovery-codes/", own(codes.view_recovery_codes, GET=""), name="mfa_view_recovery_codes"),
    path("account/2fa/recovery-codes/generate/", own(codes.generate_recovery_codes, GET="", POST=SIGN_IN),
         name="mfa_generate_recovery_codes"),
    path("account/2fa/recovery-codes/download/", closed, name="mfa_download_recovery_codes"),
    path("account/2fa/webauthn/", own(keys.list_webauthn, GET=""), name="mfa_list_webauthn"),
    path("account/2fa/webauthn/reauthenticate/", own(keys.reauthenticate_webauthn, GET="", POST=SIGN_IN),
         name="mfa_reauthenticate_webauthn"),
    path("account/2fa/webauthn/<int:pk>/remove/", own(keys.remove_webauthn, GET="", POST=SIGN_IN),
         name="mfa_remove_webauthn"),
    path("account/2fa/webauthn/<int:pk>/edit/", own(keys.edit_webauthn, GET="", POST=SIGN_IN),
         name="mfa_edit_webauthn"),
]  # fmt: skip
URLS = [*SIGNED_OUT, *BEFORE_FACTOR, *SIGNED_IN]
