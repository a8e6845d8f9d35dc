"""Not now, but then: which times a change may wait for."""

from datetime import datetime, timedelta

from django.utils import timezone

from .errors import Problem

AHEAD = timedelta(days=5 * 366)


def then(at: datetime | None) -> datetime | None:
    """The time as it was named, if the clock can come to it: with its zone, not past, five years ahead at most."""
    if at is None:
        return None
    if at.tzinfo is None:
        raise Problem("at", "name a time zone: end it in Z or +01:00")
    now = timezone.now()
    if at < now:
        raise Problem("at", "this is past; leave it out for now")
    if at > now + AHEAD:
        raise Problem("at", "more than five years ahead; nobody will remember why")
    return at
