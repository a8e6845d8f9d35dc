"""Does what we sign verify? Asked of another implementation (dkimpy), against the public half alone.

A key made for the test must pass, or nothing is signed; of the node's own keys one is tried each time in turn, and one
that fails stands in `unusable`: its domain's mail waits, nobody else's.
"""

import base64
import itertools
import sqlite3
import time

import dkim
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from .key_store import KeyStore, KeyUnusable
from .signing import Key, signature

HEADERS = [
    (b"From", b" Self Test <test@postroom.example>"),
    (b"Subject", b" two  blanks\t and a tab"),
    (b"Date", b" Thu, 01 Jan 2026 00:00:00 +0000"),
    (b"To", b" a@postroom.example,\r\n\tb@postroom.example"),
]
BODY = b"line one  \r\n\r\n.dots \t and blanks\r\n\r\n\r\n"


def published(key: Key) -> bytes:
    """What a DKIM record says of this key (RFC 6376, 3.6.1; 8463, 4.2)."""
    if not isinstance(key, rsa.RSAPrivateKey):
        return b"v=DKIM1; k=ed25519; p=" + base64.b64encode(key.public_key().public_bytes_raw())
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return b"v=DKIM1; k=rsa; p=" + base64.b64encode(public)


def verifies(key: Key, domain: str, selector: str) -> bool:
    value = signature(HEADERS, BODY, domain, selector, key, int(time.time()))
    lines = [b"DKIM-Signature:" + value.encode(), *(name + b":" + text for name, text in HEADERS)]
    message = b"\r\n".join(lines) + b"\r\n\r\n" + BODY
    return bool(dkim.verify(message, dnsfunc=lambda name, timeout=5: published(key)))


class SelfTest:
    """`failing` says why nothing may be signed; empty when the last test held."""

    def __init__(self, keys: KeyStore) -> None:
        self.keys = keys
        self.failing = "no self-test yet"
        self.unusable: dict[str, str] = {}
        self.at = 0
        self._own = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._turns = itertools.count()

    def run(self) -> None:
        self.at = int(time.time())
        self.failing = "" if verifies(self._own, "postroom.example", "test") else "a signature does not verify"
        try:
            domains = self.keys.domains()
        except sqlite3.Error as error:
            self.failing = f"keys cannot be read: {error}"
            return
        turn = [domains[next(self._turns) % len(domains)]] if domains else []
        for domain in {*turn, *list(self.unusable)[:10]} & set(domains):
            self._try(domain)
        self.unusable = {domain: why for domain, why in self.unusable.items() if domain in domains}

    def _try(self, domain: str) -> None:
        try:
            found = self.keys.for_domain(domain)
            held = all(verifies(key, domain, selector) for selector, key in found)
            why = "" if held else "a signature does not verify"
        except (KeyUnusable, sqlite3.Error) as error:
            why = str(error)
        self.unusable.pop(domain, None)
        if why:
            self.unusable[domain] = why
