"""Tokens: drawn here, shown once, kept nowhere; only their SHA-256 is stored. 256 bits need no slow hash."""

import hashlib
import secrets

from django.conf import settings


def draw() -> tuple[str, str]:
    """(token, its hash): the token goes to whoever shall have it, the hash beside the change that makes it."""
    token = secrets.token_urlsafe(32)
    return token, hashed(token)


def hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def invite_link(token: str) -> str:
    """Every link starts with the configured origin, whatever Host a request named."""
    return f"{settings.POSTROOM.origin.rstrip('/')}/invite/{token}"


def notice_link(token: str) -> str:
    """*This was not me*: stops the change it was mailed about."""
    return f"{settings.POSTROOM.origin.rstrip('/')}/not-me/{token}"


def recovery_link(token: str) -> str:
    """Gets a lost sign-in back, together with another proof."""
    return f"{settings.POSTROOM.origin.rstrip('/')}/recover/{token}"


def recovery_code() -> tuple[str, str]:
    """(code as people type it, its hash): 148 bits in groups of five, letters and digits that look like no other."""
    letters = "abcdefghjkmnpqrstuvwxyz23456789"
    groups = ["".join(secrets.choice(letters) for _ in range(5)) for _ in range(6)]
    return "-".join(groups), hashed("".join(groups))
