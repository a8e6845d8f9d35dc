"""OpenID Connect as a relying party asks and checks: the request for a code, and what an ID token must say.

OpenID Connect Core 1.0, 3.1 (code flow); RFC 7636 (PKCE); RFC 9207 (issuer in the answer). No I/O.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import jwt

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
LEEWAY = 60  # seconds that clocks may differ


class NotTrue(Exception):
    """What came back is not what was asked for, or not from whom."""


@dataclass(frozen=True)
class Asked:
    """What one request for a code holds on to until its answer; drawn anew each time."""

    state: str
    nonce: str
    verifier: str

    @classmethod
    def anew(cls) -> "Asked":
        return cls(*(secrets.token_urlsafe(32) for _ in range(3)))

    def kept(self) -> dict[str, str]:
        return asdict(self)


def challenge(verifier: str) -> str:
    """RFC 7636, 4.2: S256."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def url(endpoint: str, asked: Asked, *, client: str, back: str, again: bool = False) -> str:
    """Where the browser is sent. again: the provider is to ask its user anew, however lately it did."""
    params = {
        "response_type": "code", "client_id": client, "redirect_uri": back, "scope": "openid email",
        "state": asked.state, "nonce": asked.nonce, "code_challenge": challenge(asked.verifier),
        "code_challenge_method": "S256",
    } | ({"prompt": "login", "max_age": "0"} if again else {})  # fmt: skip
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(params)}"


def as_safe_as(endpoint: str, issuer: str) -> bool:
    """Whether an endpoint that the metadata name is HTTPS, as Core 1.0, 3.1.2 and 3.1.3 want it; of a provider on this
    machine itself, or plain HTTP at the same host. Whatever else: a code and our secret would be sent there."""
    try:
        there, here = urlsplit(endpoint), urlsplit(issuer)
    except ValueError:
        return False
    if not there.hostname or there.username is not None or not endpoint.isprintable() or there.fragment:
        return False
    return there.scheme == "https" or (there.scheme == here.scheme == "http" and there.hostname == here.hostname)


def code(answer: Mapping[str, str], asked: Asked, *, issuer: str) -> str:
    """The code of an answer that belongs to this request."""
    if not hmac.compare_digest(answer.get("state", "").encode(), asked.state.encode()):
        raise NotTrue("the answer is to another request")
    if answer.get("iss", issuer) != issuer:
        raise NotTrue("the answer is another provider's")
    if answer.get("error") or not answer.get("code"):
        raise NotTrue(f"the provider said no: {answer.get('error', 'no code')[:60]}")
    return answer["code"]


def claims(token: str, keys: Mapping[str, Any], asked: Asked, *, issuer: str, client: str) -> dict[str, Any]:
    """What a good ID token says: signed by a key of the provider, for us, for this request, and not over."""
    try:
        head = jwt.get_unverified_header(token)
        if head.get("alg") not in ALGORITHMS:  # never `none`, never a secret that both sides know
            raise NotTrue(f"signed by {str(head.get('alg'))[:20]}")
        said: dict[str, Any] = jwt.decode(
            token, _key(keys, head), algorithms=[head["alg"]], issuer=issuer, audience=client, leeway=LEEWAY,
            options={"require": ["iss", "sub", "aud", "exp", "iat"]},
        )  # fmt: skip
    except (jwt.PyJWTError, KeyError) as error:
        raise NotTrue(f"the ID token is no good: {type(error).__name__}") from None
    if isinstance(said["aud"], list) and len(said["aud"]) > 1 and said.get("azp") != client:
        raise NotTrue("the ID token is for somebody else as well")
    if not hmac.compare_digest(str(said.get("nonce", "")).encode(), asked.nonce.encode()):
        raise NotTrue("the ID token is of another request")
    return said


def _key(keys: Mapping[str, Any], head: Mapping[str, Any]) -> jwt.PyJWK:
    known: Sequence[dict[str, Any]] = [one for one in keys.get("keys", ()) if one.get("use", "sig") == "sig"]
    wanted = [one for one in known if one.get("kid") == head.get("kid")] if head.get("kid") else known
    if len(wanted) != 1:
        raise NotTrue("signed by a key that the provider does not name")
    return jwt.PyJWK(wanted[0], algorithm=head["alg"])


def address(said: Mapping[str, Any]) -> str:
    """The address that the provider has verified; empty where it says of none that it has."""
    return str(said.get("email", "")).lower() if said.get("email_verified") is True else ""


def second_factor(said: Mapping[str, Any], accepted: Sequence[str]) -> bool:
    """Whether one of the accepted values stands in `amr` (RFC 8176) or is the `acr`."""
    amr = said.get("amr")
    shown = {str(one) for one in amr} if isinstance(amr, list) else set()
    return bool((shown | {str(said.get("acr", ""))}) & set(accepted))
