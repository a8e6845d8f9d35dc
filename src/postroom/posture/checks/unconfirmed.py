"""Recovery channels of which nobody says any more that they are read: the way back is not there when it is needed.

NIST SP 800-63B-4, 4.2 (account recovery) counts on addresses that are the subscriber's. A channel that was named and
not confirmed within its two weeks, or last confirmed half a year ago, is a finding until somebody confirms or ends it.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from postroom.models import RecoveryChannel
from postroom.models.recovery import ALIVE, REMINDED
from postroom.posture.findings import Found
from postroom.posture.run import Check, reading
from postroom.protocols.phone import masked


def evaluate(channels: Iterable[RecoveryChannel], now: datetime) -> Iterator[Found]:
    """A VIP's is high. Whose address it is reads who may look at the mailbox; a finding tells it in part."""
    for one in channels:
        late = one.made + REMINDED if one.confirmed_at is None else one.confirmed_at + ALIVE
        if one.ended_at or late > now:
            continue
        said = one.confirmed_at.isoformat(timespec="seconds") if one.confirmed_at else None
        yield Found(
            "high" if one.mailbox.vip else "medium", "mailboxes", one.mailbox_id, one.mailbox.label,
            f"Nobody says that {masked(one.value)} is read, a way back into {one.mailbox.label}", str(one.pk),
            client=one.client_id, domain=one.mailbox.address.domain_id, kind="recovery_channels.ask",
            evidence={"confirmed": said, "named": one.made.isoformat(timespec="seconds")},
            params={"channel": str(one.pk)},
        )  # fmt: skip


def _read(now: datetime) -> Iterator[Found]:
    rows = RecoveryChannel.objects.filter(ended_at=None, mailbox__removed_at=None, client__removed_at=None)
    return evaluate(rows.select_related("mailbox__address").order_by("id"), now)


UNCONFIRMED = Check(
    "recovery.unconfirmed", "Is every recovery channel still read?", "NIST SP 800-63B-4, 4.2", 3600, reading(_read)
)
