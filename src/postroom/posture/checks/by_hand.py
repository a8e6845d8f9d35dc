"""Mailboxes whose link somebody hands over by hand, and that are not their owner's yet.

Until the owner has set the secret, whoever copied the link can make the mailbox theirs; and until a way back in is
confirmed, nobody but who set it up knows where its owner is reached. NIST SP 800-63B-4, 4.1 (binding an authenticator
to whom it is meant for), 4.2 (recovery goes by addresses that are the subscriber's). It closes with the confirmation.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef

from postroom.models import Invite
from postroom.models.recovery import confirmed_ways
from postroom.posture.findings import Found
from postroom.posture.run import Check, reading

LONG = timedelta(days=7)


def evaluate(invites: Iterable[Invite], now: datetime) -> Iterator[Found]:
    """Invites that were handed over by hand, the newest of each mailbox, of which no way back in is confirmed."""
    for one in invites:
        if (mailbox := one.mailbox) is None:
            continue
        age, label = (now - one.made).days, mailbox.label
        what = "its way back in is not confirmed" if one.used_at else "its link was not used"
        yield Found(
            "high" if now - one.made > LONG else "medium", "mailboxes", mailbox.pk, label,
            f"{label} was set up by hand, and is not yet its owner's", "by hand", client=one.client_id,
            domain=mailbox.address.domain_id,
            evidence={"since": one.made.isoformat(timespec="seconds"), "days": age, "left": what},
            kind="" if one.used_at else "invites.send", params={} if one.used_at else {"mailbox": label},
        )  # fmt: skip


def _read(now: datetime) -> Iterator[Found]:
    later = Invite.objects.filter(mailbox=OuterRef("mailbox"), made__gt=OuterRef("made"), ended_at=None, recovers="")
    rows = Invite.objects.filter(by_mail=False, mailbox__isnull=False, ended_at=None, mailbox__removed_at=None)
    rows = rows.filter(~Exists(later), ~confirmed_ways(), client__removed_at=None)
    return evaluate(rows.select_related("mailbox__address").order_by("id"), now)


BY_HAND = Check(
    "mailboxes.by_hand", "Is every mailbox that was set up by hand its owner's?", "NIST SP 800-63B-4, 4.1", 300,
    reading(_read),
)  # fmt: skip
