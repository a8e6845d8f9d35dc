"""The provider of single sign-on, asked over HTTPS: what it is, the code for a token, its keys. Nothing is kept."""

from dataclasses import dataclass
from typing import Any

import requests
from django.conf import settings

from postroom.protocols import oidc
from postroom.protocols.oidc import Asked, NotTrue

TIMEOUT = 5
BACK = "/sign-in/sso/back/"


@dataclass(frozen=True)
class Provider:
    """As its own metadata describe it (OpenID Connect Discovery 1.0, 3)."""

    issuer: str
    authorize: str
    token: str
    keys: str
    basic: bool


def back() -> str:
    return f"{settings.POSTROOM.origin.rstrip('/')}{BACK}"


def provider() -> Provider:
    """Asked each time; raises NotTrue where it does not answer, or says that it is another."""
    issuer = str(settings.POSTROOM.oidc_issuer)
    said = _json("GET", issuer.rstrip("/") + "/.well-known/openid-configuration")
    if said.get("issuer") != issuer:
        raise NotTrue(f"it calls itself {str(said.get('issuer'))[:80]}")
    methods = said.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
    names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
    if missing := [name for name in names if not said.get(name)]:
        raise NotTrue(f"its metadata name no {', '.join(missing)}")
    authorize, token, keys = (str(said[name]) for name in names)
    if not all(oidc.as_safe_as(one, issuer) for one in (authorize, token, keys)):
        raise NotTrue("its metadata name an address without TLS, or one that is none")
    return Provider(issuer, authorize, token, keys, basic="client_secret_basic" in methods)


def said_by(whose: Provider, code: str, asked: Asked) -> dict[str, Any]:
    """What the provider says in exchange for a code, checked."""
    env = settings.POSTROOM
    secret = env.oidc_secret_file.read_text().strip()
    body = {
        "grant_type": "authorization_code", "code": code, "redirect_uri": back(), "code_verifier": asked.verifier,
    }  # fmt: skip
    auth = (env.oidc_client_id, secret) if whose.basic else None
    body |= {} if whose.basic else {"client_id": env.oidc_client_id, "client_secret": secret}
    answer = _json("POST", whose.token, data=body, auth=auth)
    token = answer.get("id_token")
    if not isinstance(token, str):
        raise NotTrue("it gave no ID token")
    return oidc.claims(token, _json("GET", whose.keys), asked, issuer=whose.issuer, client=env.oidc_client_id)


def _json(method: str, url: str, **more: Any) -> dict[str, Any]:
    try:
        answer = requests.request(method, url, timeout=TIMEOUT, allow_redirects=False, **more)
        found = answer.json() if answer.status_code == 200 else None
    except (requests.RequestException, ValueError) as error:
        raise NotTrue(f"it does not answer: {type(error).__name__}") from None
    if not isinstance(found, dict):
        raise NotTrue(f"it answered {answer.status_code}")
    return found
