"""Tokens: drawn here, shown once, kept nowhere; only their SHA-256 is stored. 256 bits need no slow hash."""

import hashlib
import hmac
import ipaddress
import secrets
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from postroom.models import TokenUse
from postroom.models.verifying import CODE_DIGITS

from .acting import acting_as
from .actor import Actor

MINUTE = timedelta(minutes=1)


def draw() -> tuple[str, str]:
    """(token, its hash): the token goes to whoever shall have it, the hash beside the change that makes it."""
    token = secrets.token_urlsafe(32)
    return token, hashed(token)


def hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def came_from(source: str, networks: Sequence[str]) -> bool:
    """Whether an address lies in one of these networks; where none is named, anything does."""
    if not networks:
        return True
    try:
        address = ipaddress.ip_address(source)
    except ValueError:
        return False
    plain = getattr(address, "ipv4_mapped", None) or address
    return any(plain in ipaddress.ip_network(one) for one in networks)


def used(token: UUID, actor: Actor, source: str) -> None:
    """Note that a token came, and from where; once a minute is enough."""
    now = timezone.now()
    with acting_as(actor):
        rows = TokenUse.objects.filter(token=token)
        if not rows.filter(at__gt=now - MINUTE).exists() and not rows.update(at=now, source=source):
            TokenUse.objects.bulk_create([TokenUse(token_id=token, at=now, source=source)], ignore_conflicts=True)


def invite_link(token: str) -> str:
    """Every link starts with the configured origin, whatever Host a request named."""
    return f"{settings.POSTROOM.origin.rstrip('/')}/invite/{token}"


def notice_link(token: str) -> str:
    """*This was not me*: stops the change it was mailed about."""
    return f"{settings.POSTROOM.origin.rstrip('/')}/not-me/{token}"


def recovery_link(token: str) -> str:
    """Gets a lost sign-in back, together with another proof."""
    return f"{settings.POSTROOM.origin.rstrip('/')}/recover/{token}"


def app_password() -> tuple[str, str]:
    """(app password as it is shown and typed, its hash): 138 bits in groups of four, compared as typed."""
    letters = "abcdefghjkmnpqrstuvwxyz23456789"
    shown = "-".join("".join(secrets.choice(letters) for _ in range(4)) for _ in range(7))
    return shown, hashed(shown)


def confirmation_link(token: str) -> str:
    """Says that a recovery channel is read still."""
    return f"{settings.POSTROOM.origin.rstrip('/')}/confirm/{token}"


def mailbox_link(token: str) -> str:
    """Gets a mailbox back for its owner."""
    return f"{settings.POSTROOM.origin.rstrip('/')}/mailbox/recover/{token}"


def hashed_code(typed: str) -> str:
    """Of a recovery code as somebody typed it: with or without what sets its groups apart."""
    return hashed("".join(typed.lower().replace("-", " ").split()))


def recovery_code() -> tuple[str, str]:
    """(code as people type it, its hash): 148 bits in groups of five, letters and digits that look like no other."""
    letters = "abcdefghjkmnpqrstuvwxyz23456789"
    groups = ["".join(secrets.choice(letters) for _ in range(5)) for _ in range(6)]
    return "-".join(groups), hashed("".join(groups))


def reset_code(which: UUID) -> tuple[str, str]:
    """(code as it is read out, its keyed hash): eight digits that nobody chose, for this one code of a reset."""
    digits = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"
    return digits, keyed_code(which, digits)


def keyed_code(which: UUID, typed: str) -> str:
    """Of what somebody typed as that code: spaces and dashes set digits apart. Keyed by the installation's own key,
    which is not in the database: eight digits are found from a plain hash in seconds."""
    digits = typed.replace("-", " ").encode(errors="replace")
    key = hashlib.sha256(f"reset code {settings.SECRET_KEY}".encode()).digest()
    return hmac.new(key, which.bytes + b"".join(digits.split()), hashlib.sha256).hexdigest()
