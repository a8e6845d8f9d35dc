"""What mail apps get of our sign-in (OAuth 2.0, RFC 6749): a code once the owner consents, for it tokens, and anew.

The sign-in library's provider (allauth.idp.oidc, on oauthlib) checks the requests and keeps codes and refresh tokens,
by their hashes, each with the login of its mailbox. What is ours: apps and consents are state, and each code and token
is bound to one consent. So what ends the consent ends them all; and a code or a refresh token that comes a second time
was stolen by one of two who had it, and ends the consent.
"""

import secrets
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from allauth.idp.oidc.internal.oauthlib.request_validator import OAuthLibRequestValidator
from allauth.idp.oidc.models import Client as Known
from allauth.idp.oidc.models import Token
from django.conf import settings
from django.utils import timezone
from oauthlib.common import Request
from oauthlib.oauth2 import WebApplicationServer

from postroom.access import token_keys
from postroom.access.acting import SYSTEM
from postroom.access.scope import visible
from postroom.changes.errors import NothingToDo
from postroom.changes.kinds.mail_apps import EndConsent
from postroom.changes.pipeline import submit
from postroom.models import Credential, MailApp, TokenKey
from postroom.models.credentials import OAUTH, PROTOCOLS
from postroom.protocols.redirects import matches

LIFE, CODE = 300, 60  # seconds: of an access token, and of a code
AUDIENCE = "mail"
REMEMBERED = timedelta(days=1)  # that a refresh token was spent; one a device comes every five minutes
CODES, REFRESH = Token.Type.AUTHORIZATION_CODE, Token.Type.REFRESH_TOKEN


class Grants(OAuthLibRequestValidator):  # type: ignore[misc]
    """What of a request is right. Asked inside a transaction as the system; `over`: consents that end after it."""

    def __init__(self) -> None:
        super().__init__()
        self.over: dict[UUID, str] = {}

    def end_over(self) -> None:
        """After the transaction. That it has ended meanwhile is all the same."""
        for consent, why in self.over.items():
            try:
                submit(EndConsent(consent=str(consent)), actor=SYSTEM, why=why)
            except NothingToDo:
                continue

    # Apps

    def _lookup_client(self, request: Request, client_id: Any) -> Known | None:
        """As the library knows one: public, and for codes alone."""
        try:
            app = visible(SYSTEM, MailApp).filter(pk=UUID(str(client_id)), ended_at=None).first()
        except ValueError:
            return None
        if app is None or str(app.pk) != client_id:
            return None
        return Known(
            id=client_id, name=app.name, type=Known.Type.PUBLIC, response_types="code", scopes="\n".join(PROTOCOLS),
            default_scopes="imap\nsubmission", grant_types="authorization_code\nrefresh_token",
            redirect_uris="\n".join(app.redirect_uris),
        )  # fmt: skip

    def validate_redirect_uri(self, client_id: Any, redirect_uri: str, request: Request, *_: Any, **__: Any) -> bool:
        return any(matches(redirect_uri, one) for one in request.client.get_redirect_uris())

    # Codes

    def save_authorization_code(
        self, client_id: Any, code: Mapping[str, str], request: Request, *_: Any, **__: Any
    ) -> None:
        Token.objects.create(
            type=CODES, hash=hashed(code["code"]), expires_at=timezone.now() + timedelta(seconds=CODE),
            scopes="\n".join(request.scopes), user=request.user,
            data={"consent": str(request.consent), "app": client_id, "redirect_uri": request.redirect_uri,
                  "challenge": request.code_challenge},
        )  # fmt: skip

    def validate_code(self, client_id: Any, code: str, client: Any, request: Request, *_: Any, **__: Any) -> bool:
        return self._found(CODES, code, "its code came a second time", request)

    def get_code_challenge(self, code: str, request: Request) -> str:
        return str(request.found.data["challenge"])

    def get_code_challenge_method(self, code: str, request: Request) -> str:
        return "S256"  # no other is taken (oauth.py)

    def confirm_redirect_uri(self, client_id: Any, code: str, redirect_uri: str, client: Any, request: Request, *_: Any,
                             **__: Any) -> bool:  # fmt: skip
        return bool(request.found.data["redirect_uri"] == redirect_uri)

    def invalidate_authorization_code(self, client_id: Any, code: str, request: Request, *_: Any, **__: Any) -> None:
        """Spent when its tokens are saved."""

    # Tokens

    def validate_refresh_token(self, refresh_token: str, client: Any, request: Request, *_: Any, **__: Any) -> bool:
        return self._found(REFRESH, refresh_token, "its refresh token came a second time", request)

    def get_original_scopes(self, refresh_token: str, request: Request, *_: Any, **__: Any) -> list[str]:
        return list(request.found.get_scopes())

    def save_bearer_token(self, token: Mapping[str, Any], request: Request, *_: Any, **__: Any) -> None:
        """The refresh token alone: an access token is known by its signature. What it was given for is spent."""
        consent, found = request.consent, request.found
        found.data["spent"] = True
        found.expires_at = min(found.expires_at, timezone.now() + REMEMBERED)
        found.save(update_fields=["data", "expires_at"])
        scopes = found.scopes  # of all that was consented to, whatever this access token is for (RFC 6749, 6)
        Token.objects.create(type=REFRESH, hash=hashed(token["refresh_token"]), expires_at=consent.until, scopes=scopes,
                             user=request.user,
                             data={"consent": str(consent.pk), "app": request.client.id})  # fmt: skip

    def revoke_token(self, token: str, token_type_hint: Any, request: Request, *_: Any, **__: Any) -> None:
        """The app signs out (RFC 7009): its consent has nothing left to stand for."""
        found = Token.objects.filter(type=REFRESH, hash=hashed(token)).first()
        if found is not None and found.data["app"] == request.client.id:
            self.over[UUID(found.data["consent"])] = "the app gave its token back"

    def _found(self, sort: str, value: str, why: str, request: Request) -> bool:
        """Whether it is good: this app's, unspent, in time, and its consent stands. Locked, so that two who bring one
        come one after the other."""
        found = Token.objects.select_for_update().filter(type=sort, hash=hashed(value)).first()
        if found is None or found.data["app"] != request.client.id:
            return False
        if found.data.get("spent"):
            self.over[UUID(found.data["consent"])] = why
            return False
        consent = standing(found.data["consent"])
        if consent is None or found.expires_at <= timezone.now():
            return False
        request.found, request.consent, request.scopes, request.user = found, consent, found.get_scopes(), found.user
        return True


def hashed(value: str) -> str:
    """As the library keeps them."""
    from allauth.idp.oidc.adapter import get_adapter

    return str(get_adapter().hash_token(value))


def standing(consent: str) -> Credential | None:
    """The consent, while it and its app stand and its mailbox may be signed in to."""
    along = ("app", "client", "mailbox__address__domain")
    rows = visible(SYSTEM, Credential).select_related(*along).filter(pk=consent, sort=OAUTH, ended_at=None)
    one: Credential | None = rows.filter(until__gt=timezone.now(), app__ended_at=None).first()
    if one is None:
        return None
    holds = (one.mailbox, one.mailbox.address.domain, one.client)
    return None if any(row.suspended_at or row.removed_at for row in holds) else one


def server(grants: Grants) -> WebApplicationServer:
    return WebApplicationServer(
        grants, token_generator=_access_token, token_expires_in=_lasts,
        refresh_token_generator=lambda request: secrets.token_urlsafe(32),
    )  # fmt: skip


def _lasts(request: Request) -> int:
    return max(1, min(LIFE, int((request.consent.until - timezone.now()).total_seconds())))


def _access_token(request: Request) -> str:
    """A JWT for mail nodes (engines/bearer.py says what each claim is asked for), and nothing in it that they do not
    ask for: it has to be short. Raises token_keys.NoKey."""
    consent, now = request.consent, int(time.time())
    rows = visible(SYSTEM, TokenKey).filter(issuer=settings.POSTROOM.origin).exclude(until__lte=timezone.now())
    keys = token_keys.read(settings.POSTROOM.token_keys_file)
    key = token_keys.to_sign_with(keys, dict(rows.values_list("kid", "made")), timezone.now())
    return key.signed({
        "iss": settings.POSTROOM.origin, "aud": AUDIENCE, "sub": str(consent.mailbox_id),
        "cred": str(consent.pk), "scope": " ".join(request.scopes), "iat": now, "exp": now + _lasts(request),
        "jti": secrets.token_urlsafe(9),
    })  # fmt: skip
