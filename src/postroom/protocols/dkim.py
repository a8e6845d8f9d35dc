"""DKIM key records and key pairs (RFC 6376 3.6, 8301, 8463).

RSA-2048 for what we make: 1024 is the least receivers accept, SHA-1 is dead. Ed25519 stands beside it, never alone: not
every verifier knows it (8463, 5). It does not sign and does not keep keys: the private half leaves `make_rsa` or
`make_ed25519` once and goes where the caller seals it.
"""

import base64
import re
from dataclasses import dataclass
from functools import lru_cache

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from postroom.protocols.tags import parse_tags, write_tags

ALGORITHMS = ("rsa-2048", "ed25519")  # of the keys a domain signs with: the second beside the first (8463, 5)
BITS = 2048
WEAK_BELOW = 1024  # RFC 8301, 3.2
LONG_ABOVE = 4096  # what verifiers must be able to use ends here; the same
_SELECTOR = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


class BadKeyRecord(ValueError):
    """Verifiers cannot use this key record; the message says why, `cause` as the rule `dkim.<cause>` has it."""

    def __init__(self, says: str, cause: str = "broken") -> None:
        super().__init__(says)
        self.cause = cause


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


def make_ed25519() -> tuple[str, str]:
    """A new key pair: private half as PKCS#8 PEM, public half as base64 of its 32 octets (RFC 8463, 4.2)."""
    key = ed25519.Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private.decode(), base64.b64encode(key.public_key().public_bytes_raw()).decode()


def public_of(private_pem: str) -> str:
    """The public half, base64, of a private key as `make_rsa` or `make_ed25519` gives it."""
    key = serialization.load_pem_private_key(private_pem.encode(), password=None)
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return base64.b64encode(key.public_key().public_bytes_raw()).decode()
    if not isinstance(key, rsa.RSAPrivateKey):
        raise BadKeyRecord("not an RSA or Ed25519 key")
    return _public_b64(key.public_key())


def key_record(public: str, algorithm: str = "rsa") -> str:
    """The TXT text that publishes a key, rsa or ed25519; an empty `public` revokes it (3.6.1, p=)."""
    return write_tags({"v": "DKIM1", "k": algorithm, "p": public})


def algorithm_of(public: str) -> str:
    """rsa or ed25519, by the length of a public half as these functions give it."""
    return "ed25519" if len(public) == 44 else "rsa"


def family(algorithm: str) -> str:
    """rsa or ed25519, of an algorithm as ALGORITHMS has it, of any length."""
    return algorithm.partition("-")[0]


def key_name(selector: str, domain: str) -> str:
    """Where a selector's record stands: `s1._domainkey.acme.example.` Raises ValueError for a bad selector."""
    if not _SELECTOR.fullmatch(selector):
        raise ValueError(f"the selector “{selector[:40]}” is not a DNS label of a-z 0-9 and hyphens")
    return f"{selector}._domainkey.{domain.rstrip('.').lower()}."


@lru_cache(maxsize=8192)
def parse(text: str) -> KeyRecord:
    """Read a key record. Raises BadKeyRecord where a verifier would give permerror."""
    try:
        tags = parse_tags(text)
    except ValueError as why:
        raise BadKeyRecord(str(why)) from None
    if tags.get("v", "DKIM1") != "DKIM1" or ("v" in tags and next(iter(tags)) != "v"):
        raise BadKeyRecord("v= must be DKIM1 and stand first", "bad_version")
    if "p" not in tags:
        raise BadKeyRecord("p=, the key itself, is missing")
    if "sha256" not in _listed(tags.get("h", "sha256")):
        raise BadKeyRecord("h= leaves out sha256, the only hash in use (RFC 8301, 3.1)", "bad_hash")
    if not {"*", "email"} & set(_listed(tags.get("s", "*"))):
        raise BadKeyRecord("s= does not name email", "bad_service")
    algorithm, public = tags.get("k", "rsa").lower(), re.sub(r"\s", "", tags["p"])
    bits = _bits(algorithm, public) if public else None
    return KeyRecord(algorithm, public, bits, frozenset(_listed(tags.get("t", ""))))


def _listed(text: str) -> list[str]:
    return [part.strip().lower() for part in text.split(":") if part.strip()]


def _bits(algorithm: str, public: str) -> int:
    if algorithm not in ("rsa", "ed25519"):
        raise BadKeyRecord(f"k={algorithm[:20]} is not known; rsa or ed25519 is", "bad_key_type")
    try:
        octets = base64.b64decode(public, validate=True)
    except ValueError:
        raise BadKeyRecord("p= is not base64", "bad_key") from None
    if algorithm == "ed25519":
        if len(octets) != 32:
            raise BadKeyRecord("an ed25519 key has 32 octets", "bad_key")
        return 256
    try:
        key = serialization.load_der_public_key(octets)
    except (ValueError, UnsupportedAlgorithm):
        raise BadKeyRecord("p= holds no RSA key", "bad_key") from None
    if not isinstance(key, rsa.RSAPublicKey):
        raise BadKeyRecord("p= holds a key that is not RSA", "bad_key")
    return key.key_size


def _public_b64(key: rsa.RSAPublicKey) -> str:
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(der).decode()
