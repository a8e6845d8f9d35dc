"""An app asks to be let into a mailbox: its owner signs in, sees who asks for what and until when, and says yes or no.

Authorization code with PKCE for public clients (RFC 6749, 7636, 8252, 9700), then tokens; what the apps find us by is
RFC 8414's document. No token is in a page or a log; the code is in an address, as the protocol has it, once, for a
minute, and of no use without the verifier that the app kept.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, cast
from urllib.parse import urlsplit
from uuid import UUID

from allauth.idp.oidc.internal.oauthlib.utils import convert_response, extract_params
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from oauthlib.common import add_params_to_uri
from oauthlib.oauth2 import FatalClientError, InvalidRequestError, OAuth2Error
from pydantic import ValidationError

from postroom.access import throttle
from postroom.access.acting import SYSTEM, acting_as
from postroom.access.scope import visible
from postroom.access.token_keys import NoKey
from postroom.changes.errors import Problems
from postroom.changes.kind import KINDS
from postroom.changes.pipeline import submit
from postroom.models import Credential
from postroom.models.credentials import PROTOCOLS
from postroom.protocols.redirects import LOOPBACK
from postroom.web.door import by_method, public
from postroom.web.guard import CSP
from postroom.web.mailbox_door import ONWARD, SIGN_IN, Asked, mailbox_act, mailbox_page, owner_of, told
from postroom.web.mailbox_secrets import proven
from postroom.web.oauth_grants import Grants, server
from postroom.web.parts.forms import Field, Form
from postroom.web.parts.owner_devices import LetIn

AUTHORIZE, CONSENT, TOKEN, REVOKE = "/oauth/authorize", "/oauth/consent", "/oauth/token", "/oauth/revoke"
LONGEST_ASKED = 4000
MEANS = {"imap": "read mail", "submission": "send mail", "managesieve": "sort mail by filters"}
LASTS = timedelta(days=365)
Wrong = dict[str, str]


class NotRight(Exception):
    """What the app asks for cannot be shown to the owner; `answer` says so, to them or to the app."""

    def __init__(self, answer: HttpResponse) -> None:
        super().__init__("not right")
        self.answer = answer


@public(GET="")
def authorize(request: HttpRequest) -> HttpResponse:
    """Whoever is not signed in to a mailbox does that first, and comes back here."""
    query = request.META.get("QUERY_STRING", "")
    try:
        asked = _checked(request, query)
    except NotRight as error:
        return error.answer
    if owner_of(request) is None:
        request.session[ONWARD] = f"{AUTHORIZE}?{query}"
        return HttpResponseRedirect(SIGN_IN)
    seen: HttpResponse = ask(cast(Asked, request), query, asked)
    return seen


@mailbox_page
def ask(request: Asked, query: str, asked: Any) -> HttpResponse:
    return _page(request, query, asked, {})


@mailbox_act()
def answer(request: Asked) -> HttpResponse:
    """All of it is looked at again: between the page and this, the app may have been ended."""
    query = request.POST.get("asked", "")
    try:
        asked = _checked(request, query)
    except NotRight as error:
        return error.answer
    if request.POST.get("answer") != "yes":
        return _back(add_params_to_uri(asked.redirect_uri, [("error", "access_denied"), *_state(asked)]))
    chosen = [one for one in PROTOCOLS if one in request.POST and one in asked.scopes]
    try:
        kind = KINDS["consents.grant"].model_validate({
            "app": asked.client_id, "name": request.POST.get("name", "").strip(), "protocols": chosen,
            "until": _end_of(request.POST.get("until", "")),
        })  # fmt: skip
    except ValidationError as error:
        return _page(request, query, asked, _faults(error), status=422)
    stop = proven(
        request, lambda wrong, code: _page(request, query, asked, {"password": wrong}, status=code), "password"
    )
    if stop is not None:
        return stop
    try:
        done = submit(kind, actor=request.actor, why=f"let {asked.client.name} in")
    except Problems as problems:
        return _page(request, query, asked, {one.where: one.what for one in problems.problems}, status=422)
    if done.version is None:
        return _page(request, query, asked, {"": "; ".join(v["reason"] for v in done.verdicts)}, status=409)
    return _back(_with_code(request, query, chosen, _consent(request, kind)))


def _checked(request: HttpRequest, query: str) -> Any:
    """The request, with its client and scopes, as oauthlib has it. Raises NotRight."""
    if len(query) > LONGEST_ASKED:
        raise NotRight(_refused(request, "it is too long"))
    try:
        with acting_as(SYSTEM):
            scopes, info = server(Grants()).validate_authorization_request(f"{AUTHORIZE}?{query}", "GET", "", {})
        if info.get("code_challenge_method") != "S256":
            raise InvalidRequestError(description="code_challenge_method has to be S256", request=info["request"])
    except FatalClientError as error:
        raise NotRight(_refused(request, error.description or error.error)) from None
    except OAuth2Error as error:
        raise NotRight(_back(add_params_to_uri(error.redirect_uri, [*error.twotuples, *_issuer()]))) from None
    except ValueError:
        raise NotRight(_refused(request, "it cannot be read")) from None
    asked = info["request"]
    asked.scopes = [one for one in PROTOCOLS if one in scopes]
    return asked


def _refused(request: HttpRequest, why: str) -> HttpResponse:
    return told(request, "That app cannot ask you", f"What it asked for is not right here: {why[:200]}. Nothing was "
                "let in. Tell whoever looks after your mail which app it was.", status=400)  # fmt: skip


def _consent(request: Asked, kind: Any) -> UUID:
    """The one just made: no two live ones of a mailbox share a name."""
    with acting_as(request.actor) as access:
        rows = visible(access.actor, Credential).filter(mailbox=request.own.mailbox, name=kind.name, ended_at=None)
        return UUID(str(rows.get().pk))


def _with_code(request: Asked, query: str, scopes: list[str], consent: UUID) -> str:
    """Where the app's user goes on, with a code that stands for the consent."""
    with acting_as(SYSTEM):
        headers, _, _ = server(Grants()).create_authorization_response(
            f"{AUTHORIZE}?{query}", "GET", "", {}, scopes=scopes, credentials={"consent": consent, "user": request.user}
        )
    return str(add_params_to_uri(headers["Location"], list(_issuer())))


def _back(where: str) -> HttpResponse:
    """Not Django's redirect, which knows schemes of the web alone."""
    return HttpResponse(status=302, headers={"Location": where})


def _state(asked: Any) -> Iterator[tuple[str, str]]:
    yield from [("state", asked.state)] if asked.state else []
    yield from _issuer()


def _issuer() -> Iterator[tuple[str, str]]:
    yield "iss", settings.POSTROOM.origin  # RFC 9207


def _end_of(day: str) -> datetime | str:
    """The last second of a day, UTC; what is no day is left for the kind to refuse."""
    try:
        return datetime.combine(date.fromisoformat(day), time(23, 59, 59), UTC)
    except ValueError:
        return day


def _faults(error: ValidationError) -> Wrong:
    words = {"name": "Say which device it is.", "protocols": "Choose what it may do.", "until": "That is no day."}
    return {str(one["loc"][0]): words.get(str(one["loc"][0]), str(one["msg"])) for one in error.errors()}


def _page(request: Asked, query: str, asked: Any, wrong: Wrong, *, status: int = 200) -> HttpResponse:
    errors = tuple(words for name, words in wrong.items() if name not in ("name", "protocols", "until", "password"))
    form = Form(tuple(_fields(request, query, asked, wrong)), "Let it in", CONSENT, icon="key", errors=errors)
    where = urlsplit(asked.redirect_uri)
    page = LetIn(organization="", address=request.own.address, app=asked.client.name, form=form,
                 back_to=_in_words(where))  # fmt: skip
    answer = render(request, "owner/let_in.html", {"page": page}, status=status)
    # The answer to the form leads back to the app, and a browser holds that against the policy too.
    answer["Content-Security-Policy"] = CSP.replace("form-action 'self'", f"form-action 'self' {_source(where)}")
    return answer


def _in_words(where: Any) -> str:
    """Where the answer goes: to whom it belongs, as far as that can be known."""
    if where.hostname in LOOPBACK:
        return f"the app on this device ({where.hostname})"
    return str(where.hostname or f"the app on this device ({where.scheme}:)")


def _source(where: Any) -> str:
    return f"{where.scheme}://{where.netloc}" if where.scheme in ("http", "https") else f"{where.scheme}:"


def _fields(request: Asked, query: str, asked: Any, wrong: Wrong) -> Iterator[Field]:
    typed = request.POST
    yield Field("asked", "", "hidden", query)
    yield Field("name", "Which device is it?", value=typed.get("name", asked.client.name)[:80], required=True,
                maxlength=80, error=wrong.get("name", ""), hint="As you will know it again.")  # fmt: skip
    for number, one in enumerate(asked.scopes):
        on = one in typed if typed else True
        yield Field(one, f"It may {MEANS[one]}", "checkbox", value="on" if on else "",
                    error="" if number else wrong.get("protocols", ""))  # fmt: skip
    last = typed.get("until", (timezone.now() + LASTS).date().isoformat())[:10]
    yield Field("until", "Last day", "date", value=last, required=True, error=wrong.get("until", ""),
                hint="It ends by itself after that day, within a year.")  # fmt: skip
    yield Field("password", "The password of this mailbox", "password", required=True, error=wrong.get("password", ""),
                autocomplete="current-password")  # fmt: skip


# Asked by the apps themselves


@csrf_exempt
@public(POST="")
def token(request: HttpRequest) -> HttpResponse:
    """A code, or a refresh token, for tokens. No cookie is looked at."""
    return _asked_by_app(request, "create_token_response")


@csrf_exempt
@public(POST="")
def revoke(request: HttpRequest) -> HttpResponse:
    """The app gives its refresh token back (RFC 7009)."""
    return _asked_by_app(request, "create_revocation_response")


def _asked_by_app(request: HttpRequest, what: str) -> HttpResponse:
    try:
        throttle.MAIL_APP(str(request.META.get("REMOTE_ADDR", "")))
    except throttle.TooMany as error:
        return JsonResponse({"error": "temporarily_unavailable"}, status=429, headers={"Retry-After": str(error.wait)})
    grants = Grants()
    try:
        with acting_as(SYSTEM):
            headers, body, status = getattr(server(grants), what)(*extract_params(request))
    except NoKey:
        return JsonResponse({"error": "temporarily_unavailable"}, status=503, headers={"Retry-After": "5"})
    except ValueError:  # what was sent cannot be read
        return JsonResponse({"error": "invalid_request"}, status=400)
    grants.end_over()
    said: HttpResponse = convert_response(headers, body, status)
    return said


@public(GET="")
def metadata(request: HttpRequest) -> HttpResponse:
    """What we are as an authorization server (RFC 8414)."""
    origin = settings.POSTROOM.origin
    return JsonResponse({
        "issuer": origin,
        "authorization_endpoint": origin + AUTHORIZE,
        "token_endpoint": origin + TOKEN,
        "revocation_endpoint": origin + REVOKE,
        "scopes_supported": list(PROTOCOLS),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_methods_supported": ["none"],
        "revocation_endpoint_auth_methods_supported": ["none"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
    })  # fmt: skip


URLS: list[URLPattern] = [
    path(".well-known/oauth-authorization-server", metadata, name="oauth-metadata"),
    path("oauth/authorize", authorize, name="oauth-authorize"),
    path("oauth/consent", by_method(POST=answer), name="oauth-consent"),
    path("oauth/revoke", revoke, name="oauth-revoke"),
    path("oauth/token", token, name="oauth-token"),
]
