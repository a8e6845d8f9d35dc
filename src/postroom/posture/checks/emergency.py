"""An emergency was declared to cut the wait of a VIP's reset short: every owner hears of it, as of a sealed login.

NIST SP 800-53 r5, AC-2 (12): atypical use of accounts is told. Critical for three days, in which the mailbox is watched
(after_reset.py); whether the client's own admin let the wait go stands beside it. It closes by itself.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from postroom.models import Verification
from postroom.posture.findings import Found
from postroom.posture.run import Check, reading

SHOWN = timedelta(hours=72)


def evaluate(declared: Iterable[Verification], now: datetime) -> Iterator[Found]:
    """One for each that was declared within three days."""
    for one in declared:
        if one.emergency_at is None or now > one.emergency_at + SHOWN:
            continue
        box, cut = one.mailbox, one.waived_at
        evidence = {
            "reason": one.emergency, "declared": one.emergency_at.isoformat(timespec="seconds"),
            "by": one.emergency_by.name if one.emergency_by else "", "ticket": one.ticket,
            "waived": cut.isoformat(timespec="seconds") if cut else "not waived: it waits like any other",
        }  # fmt: skip
        yield Found(
            "critical", "mailboxes", box.pk, box.label, f"An emergency was declared to reset {box.label} at once",
            str(one.pk), client=box.client_id, domain=box.address.domain_id, evidence=evidence,
        )  # fmt: skip


def _read(now: datetime) -> Iterator[Found]:
    rows = Verification.objects.filter(emergency_at__gt=now - SHOWN).order_by("id")
    yield from evaluate(rows.select_related("mailbox__address", "emergency_by"), now)


EMERGENCIES = Check(
    "resets.emergency", "Was the wait of a reset cut short?", "NIST SP 800-53 r5, AC-2 (12)", 30, reading(_read)
)
