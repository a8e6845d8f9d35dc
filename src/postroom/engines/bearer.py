"""Does this token open this mailbox, by this protocol, now? Asked by Dovecot of the node itself (RFC 7662).

A mail app shows an access token instead of a password (RFC 7628): a JWT that our own sign-in signed, good for some
minutes. What is asked of it: the one algorithm, a key that the control plane compiled to this node, who issued it, for
whom, since when and until when (RFC 8725, 3), its mailbox, the protocol among its scopes; and that the consent it was
issued under still stands in maps.db. So it is good while the control plane is away, and a consent that ended opens
nothing at that moment.

Nothing that is read here is a secret: public keys, and which app may open what. No hash of a password is in reach.
"""

import time
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from .accounts import NAMED
from .key_store import Reader

ALGORITHM, TYPE, AUDIENCE = "ES256", "at+jwt", "mail"
LIFE, SKEW = 600, 10  # seconds: of a token, at most; and between the clocks of who issued it and of this node
LONGEST = 8192  # characters
LIVE = "(until IS NULL OR until > unixepoch())"
KEY = f"SELECT public, issuer FROM token_key WHERE kid = ? AND {LIVE}"
KEYS = f"SELECT kid, public FROM token_key WHERE {LIVE} ORDER BY kid"
CONSENT = f"""
SELECT address, protocols FROM consent WHERE cred = ? AND subject = ? AND {LIVE} AND EXISTS (SELECT 1 FROM login l
  WHERE l.address = consent.address AND l.sign_in = 1 AND (l.until IS NULL OR l.until > unixepoch()))
"""
WHOSE = "SELECT address FROM consent WHERE cred = ? AND subject = ?"
Claims = Mapping[str, Any]


class NotGood(Exception):
    """It opens nothing; the message says why, for the log, and holds nothing of the token."""


@dataclass(frozen=True)
class Said:
    """What is known of a token. ours: we did sign it, so whoever shows it is guessing nothing."""

    address: str = ""
    cred: str = ""
    why: str = ""
    ours: bool = False

    @property
    def good(self) -> bool:
        return not self.why

    def answer(self) -> dict[str, Any]:
        """As Dovecot reads it. Both versions take an answer without a name for a fault, so there always is one."""
        if not self.good:
            return {"active": "false", "username": "nobody", "cred": "none"}
        return {"active": "true", "username": self.address, "cred": f"oauth:{self.cred}"}


class Tokens:
    """`maps`: where the keys and consents are. `clock`: seconds since 1970."""

    def __init__(self, maps: Reader, clock: Callable[[], float] = time.time) -> None:
        self.maps, self.clock = maps, clock
        self._opened: dict[str, EllipticCurvePublicKey] = {}

    def look(self, token: str, protocol: str) -> Said:
        """`protocol`: as Dovecot calls it. Raises sqlite3.Error: then nothing is known."""
        claims: Claims = {}
        try:
            claims, issuer = self._signed(token)
            self._current(claims, issuer)
            return self._consented(claims, NAMED.get(protocol, ""))
        except NotGood as error:
            return Said(self._whose(claims), why=str(error), ours=bool(claims))

    def keys(self) -> dict[str, str]:
        """kid → public key: those by which tokens are taken now."""
        return dict(self.maps.rows(KEYS))  # type: ignore[arg-type]

    def _signed(self, token: str) -> tuple[Claims, str]:
        """Its claims, and who may issue by the key that signed it."""
        if len(token) > LONGEST:
            raise NotGood("longer than any of ours")
        try:
            kid = jwt.get_unverified_header(token).get("kid")
            rows = self.maps.rows(KEY, str(kid))
            if not rows:
                raise NotGood("signed by a key that is none of ours")
            public, issuer = rows[0]
            # Its own word on how it was signed is not taken: one algorithm, fixed (RFC 8725, 3.1).
            options = {"verify_exp": False, "verify_nbf": False, "verify_iat": False, "verify_aud": False,
                       "verify_iss": False, "verify_sub": False, "verify_jti": False}  # fmt: skip
            whole = jwt.decode_complete(token, self._key(public), algorithms=[ALGORITHM], options=options)  # type: ignore[arg-type]
        except (jwt.PyJWTError, ValueError) as error:
            raise NotGood(f"not as we sign: {type(error).__name__}") from None
        if whole["header"].get("typ") != TYPE:
            raise NotGood("another sort of token")  # RFC 9068, 2.1
        return whole["payload"], issuer

    def _key(self, public: str) -> EllipticCurvePublicKey:
        if public not in self._opened:
            key = load_der_public_key(b64decode(public))
            if not isinstance(key, EllipticCurvePublicKey):
                raise ValueError("another sort of key")
            self._opened = {public: key} | dict(list(self._opened.items())[:8])
        return self._opened[public]

    def _current(self, claims: Claims, issuer: str) -> None:
        now, since, until = self.clock(), claims.get("iat"), claims.get("exp")
        if claims.get("iss") != issuer:
            raise NotGood("issued by somebody else")
        if claims.get("aud") != AUDIENCE:
            raise NotGood("not for mail")
        if not isinstance(since, int) or not isinstance(until, int) or until - since > LIFE:
            raise NotGood("it would be good for too long")
        if not since - SKEW <= now < until:
            raise NotGood("expired" if now >= until else "not good yet")

    def _whose(self, claims: Claims) -> str:
        """The mailbox of a consent that stands, whatever else is wrong with the token; empty for none."""
        rows = self.maps.rows(WHOSE, _text(claims, "cred"), _text(claims, "sub")) if claims else []
        return rows[0][0] if rows else ""

    def _consented(self, claims: Claims, protocol: str) -> Said:
        cred, scopes = _text(claims, "cred"), _text(claims, "scope").split(" ")
        rows = self.maps.rows(CONSENT, cred, _text(claims, "sub"))
        if not rows:
            raise NotGood("its consent does not stand")
        address, protocols = rows[0]
        if not protocol or protocol not in scopes or protocol not in protocols.split(" "):
            raise NotGood(f"not for {protocol or 'this protocol'}")
        return Said(address, cred, ours=True)


def _text(claims: Claims, name: str) -> str:
    value = claims.get(name)
    return value if isinstance(value, str) else ""
