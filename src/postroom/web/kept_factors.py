"""How second factors are kept: seeds of authenticator apps and recovery codes never stand readable in the database.

They are encrypted (Fernet: AES-128-CBC with HMAC-SHA256) under a key worked out (HKDF, RFC 5869) from the file that
signs sessions, which no dump of the database holds. Without that file nobody's codes are good any more.
"""

import logging
from base64 import b32encode, urlsafe_b64encode
from functools import cache
from secrets import token_bytes

from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

log = logging.getLogger("postroom.web")
MARK = "kept1:"  # what stands without it was kept before seeds were encrypted


@cache
def _box(key: str) -> Fernet:
    derived = HKDF(SHA256(), 32, salt=None, info=b"postroom second factors").derive(key.encode())
    return Fernet(urlsafe_b64encode(derived))


class KeptFactors(DefaultMFAAdapter):  # type: ignore[misc]
    """The sign-in library asks here before it writes a seed, and after it has read one."""

    def encrypt(self, text: str) -> str:
        return MARK + _box(settings.SECRET_KEY).encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """The seed; where the key is another one, or what stood there was changed, one that no code is good for."""
        if not encrypted_text.startswith(MARK):
            return encrypted_text
        try:
            return _box(settings.SECRET_KEY).decrypt(encrypted_text.removeprefix(MARK).encode()).decode()
        except InvalidToken:
            log.error("a second factor cannot be read: it was kept under another key; see docs/operating.md")
            return b32encode(token_bytes(20)).decode()
