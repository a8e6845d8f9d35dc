"""How second factors are kept: seeds of authenticator apps and recovery codes never stand readable in the database.

They are encrypted (Fernet: AES-128-CBC with HMAC-SHA256) under a key worked out (HKDF, RFC 5869) from the file that
signs sessions, which no dump of the database holds. Without that file nobody's codes are good any more.
"""

from base64 import urlsafe_b64encode
from functools import cache

from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

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
        """The seed; raises InvalidToken where the key is another one, or somebody changed what stood there."""
        if not encrypted_text.startswith(MARK):
            return encrypted_text
        return _box(settings.SECRET_KEY).decrypt(encrypted_text.removeprefix(MARK).encode()).decode()
