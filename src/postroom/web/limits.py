"""What sign-ins are limited by, counted in the database: every web process sees every failed try and every used code.

Django's database cache does the work. It is not for speed and holds nothing but these counts.
"""

from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.db import DatabaseCache

# The sign-in library takes a code of the step before, of this one and of the next (settings.MFA_TOTP_TOLERANCE), but
# remembers a used one for a single step only, so that it would work a second time. It works once (RFC 6238, 5.2).
USED_CODE = "allauth.mfa.totp.used?"
STEPS = 3 * 30


class Limits(DatabaseCache):
    """Django's database cache, but for how long a used code is remembered."""

    def add(
        self, key: str, value: Any, timeout: float | object | None = DEFAULT_TIMEOUT, version: int | None = None
    ) -> bool:
        if key.startswith(USED_CODE):
            timeout = STEPS
        return super().add(key, value, timeout, version)  # type: ignore[arg-type]
