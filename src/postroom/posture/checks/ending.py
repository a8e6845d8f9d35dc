"""Access to other mailboxes that ends soon: whoever still needs it asks again before mail stops being read.

NIST SP 800-53 r5, AC-2 (account management: notify when access is no longer required, and by then when it is).
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from postroom.models import Delegation
from postroom.posture.findings import Found
from postroom.posture.run import Check, reading

SOON, MONTH = timedelta(days=14), timedelta(days=30)  # what was given for no longer than a month is meant to end


def evaluate(rows: Iterator[Delegation]) -> Iterator[Found]:
    for one in rows:
        if one.until is None or one.until - one.made <= MONTH:
            continue
        to, whose = one.to_mailbox.label, one.mailbox.label
        yield Found(
            "low", "delegations", one.pk, f"{to} at {whose}", f"What {to} may do at {whose} ends", "ends",
            client=one.client_id, domain=one.mailbox.address.domain_id, kind="delegations.ask",
            evidence={"rights": one.rights, "until": one.until.isoformat(timespec="seconds"), "reason": one.reason},
            params={"mailbox": whose, "to": to, "rights": one.rights},
        )  # fmt: skip


def _read(now: datetime) -> Iterator[Found]:
    rows = Delegation.objects.filter(ended_at=None, started_at__isnull=False, until__gt=now, until__lte=now + SOON)
    return evaluate(rows.select_related("mailbox__address", "to_mailbox__address").order_by("id").iterator())


ENDING = Check("delegations.ending", "Which access to other mailboxes ends soon?", "NIST SP 800-53 r5, AC-2", 60,
               reading(_read))  # fmt: skip
