"""The device flow (RFC 8628): a terminal shows a short code, its person confirms it in a browser where they are signed
in with both factors, and the terminal gets a session of theirs. Codes live for ten minutes and work once.
"""

import secrets
from datetime import datetime, timedelta
from uuid import UUID

from django.utils import timezone

from postroom.models import DeviceCode

from .known import signed_in
from .tokens import draw, hashed

LIVES = timedelta(minutes=10)
LETTERS = "BCDFGHJKLMNPQRSTVWXZ"  # RFC 8628, 6.1: no vowels, so no words; nothing that looks like a digit


class Pending(Exception):
    """Nobody has confirmed the code yet."""


class Expired(Exception):
    """No such code, or one that is over, void or was used."""


def begin(label: str) -> tuple[str, str, datetime]:
    """(what the terminal keeps, what its person types, until when)."""
    code, kept = draw()
    typed = "".join(secrets.choice(LETTERS) for _ in range(8))
    now = timezone.now()
    DeviceCode.objects.filter(until__lt=now).delete()
    made = DeviceCode.objects.create(hashed=kept, user_code=typed, label=label[:80], until=now + LIVES)
    return code, f"{typed[:4]}-{typed[4:]}", made.until


def waiting(typed: str) -> str | None:
    """What the terminal with this code calls itself; None for a code that is no good."""
    found = DeviceCode.objects.filter(user_code=_plain(typed), person=None, until__gt=timezone.now()).first()
    return found.label if found else None


def confirm(typed: str, person: UUID, mfa: str) -> bool:
    """The person says yes; False for a code that is no good (any more). mfa: the second factor shown, if any was."""
    good = DeviceCode.objects.filter(user_code=_plain(typed), person=None, until__gt=timezone.now())
    return bool(good.update(person_id=person, mfa=mfa))


def collect(code: str) -> tuple[UUID, str, str]:
    """(who confirmed, what the terminal calls itself, the second factor shown), once; raises Pending or Expired.

    A code begun before its person was suspended, or all their sessions were ended, is void as these are: it may have
    been confirmed in one of them, by whoever they were ended for.
    """
    found = DeviceCode.objects.filter(hashed=hashed(code), until__gt=timezone.now()).first()
    if found is None:
        raise Expired
    if found.person_id is None:
        raise Pending
    if not DeviceCode.objects.filter(pk=found.pk).delete()[0]:
        raise Expired
    who = signed_in(found.person_id)
    if who is None or (who.stopped and found.until - LIVES <= who.stopped):
        raise Expired
    return found.person_id, found.label, found.mfa


def _plain(typed: str) -> str:
    return "".join(char for char in typed.upper() if char in LETTERS)
