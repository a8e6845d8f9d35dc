"""With which keys tokens of mail apps are signed: private halves in one file of the installation, read and never kept.

The file holds PEMs, the newest first; `postroom up` makes the first, `postroom token-key` another. Its public half
reaches mail nodes as state (models/mail_apps.py), by a change of the worker's.
"""

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

# Short: an app sends a token within one line of SMTP, of which Dovecot 2.3 takes 1,024 bytes (tried). Signed by RSA it
# would not fit.
ALGORITHM, TYPE = "ES256", "at+jwt"
ARRIVES = timedelta(seconds=30)  # by then the mail nodes have a new key; until then the one before it signs
PEM = re.compile(rb"-----BEGIN PRIVATE KEY-----.*?-----END PRIVATE KEY-----\n?", re.DOTALL)


class NoKey(Exception):
    """There is no key that mail nodes would know a token by."""


@dataclass(frozen=True)
class SigningKey:
    """kid: RFC 7638's thumbprint of the public half, which is DER in base64."""

    kid: str
    public: str
    private: ec.EllipticCurvePrivateKey

    def signed(self, claims: Mapping[str, Any]) -> str:
        """RFC 7519, and RFC 9068's type, so that it is taken for no other sort of token."""
        return jwt.encode(dict(claims), self.private, algorithm=ALGORITHM, headers={"kid": self.kid, "typ": TYPE})


def drawn() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def with_another(content: bytes) -> bytes:
    """A new one before the newest there is; older ones sign nothing any more."""
    return drawn() + b"".join(PEM.findall(content)[:1])


def read(path: Path | None) -> list[SigningKey]:
    """The newest first; none where there is no file."""
    try:
        content = path.read_bytes() if path else b""
    except FileNotFoundError:
        return []
    return [_key(one) for one in PEM.findall(content)]


def to_sign_with(keys: Iterable[SigningKey], known: Mapping[str, datetime], now: datetime) -> SigningKey:
    """The newest that mail nodes have. known: kid → since when, of those whose time is not over. Raises NoKey."""
    mine = [one for one in keys if one.kid in known]
    if not mine:
        raise NoKey("no key that signs tokens is known to the mail nodes yet")
    return next((one for one in mine if known[one.kid] <= now - ARRIVES), mine[-1])


def _key(pem: bytes) -> SigningKey:
    private = load_pem_private_key(pem, None)
    if not isinstance(private, ec.EllipticCurvePrivateKey):
        raise ValueError("tokens are signed by keys of the curve P-256")
    public = private.public_key()
    numbers = public.public_numbers()
    needed = {"crv": "P-256", "kty": "EC", "x": _number(numbers.x), "y": _number(numbers.y)}
    digest = hashlib.sha256(json.dumps(needed, separators=(",", ":"), sort_keys=True).encode()).digest()
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return SigningKey(_text(digest), base64.b64encode(der).decode(), private)


def _number(value: int) -> str:
    return _text(value.to_bytes(32, "big"))


def _text(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
