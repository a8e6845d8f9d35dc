"""Signing keys that have signed for too long where others write the zone, so that nobody rotates them but people.

Half a year at most is practice (M3AAWG DKIM Key Rotation, 2019). Where we write the zone, the system does it
(worker/dkim_life.py); a key that is old there too was kept from it, by a freeze or a zone that is not read.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from postroom.models import DkimKey
from postroom.posture.findings import Found
from postroom.posture.run import Check, reading

OLD = timedelta(days=210)  # half a year, and a month to see to it
STALE = timedelta(days=365)


def evaluate(keys: Iterable[DkimKey], now: datetime) -> Iterator[Found]:
    """One a domain, of its oldest. keys: those that sign, with their domains, oldest first."""
    told = set()
    for one in keys:
        if one.activated_at is None or one.activated_at > now - OLD or one.domain_id in told:
            continue
        told.add(one.domain_id)
        days = (now - one.activated_at).days
        yield Found(
            "medium" if one.activated_at <= now - STALE else "low", "domains", one.domain_id, one.domain.name,
            f"{one.selector} has signed mail of {one.domain.name} for {days} days", one.selector, client=one.client_id,
            domain=one.domain_id, kind="dkim_keys.rotate", params={"domain": one.domain.name},
            evidence={"selector": one.selector, "signs since": one.activated_at.isoformat(timespec="seconds")},
        )  # fmt: skip


def _read(now: datetime) -> Iterator[Found]:
    rows = DkimKey.objects.filter(activated_at__lte=now - OLD, retired_at=None, revoked_at=None)
    live = rows.filter(algorithm__startswith="rsa", domain__removed_at=None, client__removed_at=None)
    return evaluate(live.select_related("domain").order_by("activated_at", "id"), now)


OLD_KEY = Check(
    "dkim.old_key", "Are signing keys rotated in time?", "M3AAWG DKIM Key Rotation, 2019", 3600, reading(_read)
)
