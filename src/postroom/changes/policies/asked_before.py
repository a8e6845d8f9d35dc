"""What an owner asked for and somebody agrees to later is the owner's of then; by then the mailbox may be another's."""

from datetime import UTC, datetime

from postroom.changes.policy import Proposed, Verdict, refuse
from postroom.models import RecordedEdit

GIVEN = ["mailboxes.transfer", "mailboxes.remove", "resets.send_link"]  # by these it may be somebody else's


def asked_before(proposed: Proposed) -> Verdict | None:
    """Refuse what an owner's change waited for, if the mailbox was given to somebody else since, or might have been."""
    mailbox = proposed.access.actor.mailbox
    if proposed.access.actor.sort != "owner" or mailbox is None or proposed.begun:
        return None  # planned just now, by who is signed in to it
    asked = datetime.fromtimestamp((proposed.change.pk.int >> 80) / 1000, UTC)  # UUIDv7 (RFC 9562), to the millisecond
    about = RecordedEdit.objects.filter(row=mailbox, entry__at__gt=asked).values("entry")
    if not RecordedEdit.objects.filter(entry__in=about, n=0, said__in=GIVEN).exists():
        return None
    return refuse(asked_before, "the mailbox was given away or reset since it was asked for: its owner asks anew")
