"""DKIM key records and key pairs (RFC 6376 3.6, 8301, 8463).

RSA-2048 for what we make: 1024 is the least receivers accept, SHA-1 is dead. It does not sign and does
not keep keys: the private half leaves `make_rsa` once and goes where the caller seals it.
"""

import base64
import binascii
import re
from dataclasses import dataclass

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from postroom.protocols.tags import parse_tags, write_tags

BITS = 2048
WEAK_BELOW = 1024  # RFC 8301, 3.2
_SELECTOR = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


class BadKeyRecord(ValueError):
    """Verifiers cannot use this key record; the message says why."""


@dataclass(frozen=True)
class KeyRecord:
    """A key record as verifiers read it; `bits` is None for a revoked key."""

    algorithm: str
    public: str
    bits: int | None
    flags: frozenset[str] = frozenset()

    @property
    def revoked(self) -> bool:
        return self.public == ""

    @property
    def weak(self) -> bool:
        return self.algorithm == "rsa" and self.bits is not None and self.bits < WEAK_BELOW


def make_rsa(bits: int = BITS) -> tuple[str, str]:
    """A new key pair: private half as PKCS#8 PEM, public half as base64 of its SubjectPublicKeyInfo."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private.decode(), _public_b64(key.public_key())


def public_of(private_pem: str) -> str:
    """The public half, base64, of a private key as `make_rsa` gives it."""
    key = serialization.load_pem_private_key(private_pem.encode(), password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise BadKeyRecord("not an RSA key")
    return _public_b64(key.public_key())


def key_record(public: str) -> str:
    """The TXT text that publishes an RSA key; an empty `public` revokes it (3.6.1, p=)."""
    return write_tags({"v": "DKIM1", "k": "rsa", "p": public})


def key_name(selector: str, domain: str) -> str:
    """Where a selector's record stands: `s1._domainkey.acme.example.` Raises ValueError for a bad selector."""
    if not _SELECTOR.fullmatch(selector):
        raise ValueError(f"the selector “{selector[:40]}” is not a DNS label of a-z 0-9 and hyphens")
    return f"{selector}._domainkey.{domain.rstrip('.').lower()}."


def parse(text: str) -> KeyRecord:
    """Read a key record. Raises BadKeyRecord where a verifier would give permerror."""
    try:
        tags = parse_tags(text)
    except ValueError as why:
        raise BadKeyRecord(str(why)) from None
    if tags.get("v", "DKIM1") != "DKIM1" or ("v" in tags and next(iter(tags)) != "v"):
        raise BadKeyRecord("v= must be DKIM1 and stand first")
    if "p" not in tags:
        raise BadKeyRecord("p=, the key itself, is missing")
    if "sha256" not in _listed(tags.get("h", "sha256")):
        raise BadKeyRecord("h= leaves out sha256, the only hash in use (RFC 8301, 3.1)")
    algorithm, public = tags.get("k", "rsa").lower(), re.sub(r"\s", "", tags["p"])
    bits = _bits(algorithm, public) if public else None
    return KeyRecord(algorithm, public, bits, frozenset(_listed(tags.get("t", ""))))


def _listed(text: str) -> list[str]:
    return [part.strip().lower() for part in text.split(":") if part.strip()]


def _bits(algorithm: str, public: str) -> int:
    try:
        octets = base64.b64decode(public, validate=True)
    except binascii.Error:
        raise BadKeyRecord("p= is not base64") from None
    if algorithm == "ed25519":
        if len(octets) != 32:
            raise BadKeyRecord("an ed25519 key has 32 octets")
        return 256
    if algorithm != "rsa":
        raise BadKeyRecord(f"k={algorithm[:20]} is not known; rsa or ed25519 is")
    try:
        key = serialization.load_der_public_key(octets)
    except (ValueError, UnsupportedAlgorithm):
        raise BadKeyRecord("p= holds no RSA key") from None
    if not isinstance(key, rsa.RSAPublicKey):
        raise BadKeyRecord("p= holds a key that is not RSA")
    return key.key_size


def _public_b64(key: rsa.RSAPublicKey) -> str:
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(der).decode()
