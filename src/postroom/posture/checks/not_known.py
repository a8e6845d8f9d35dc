"""The owner of a mailbox says that they do not know what was done to it: it is looked into until somebody settles it.

NIST SP 800-63B-4, 4.6 (the subscriber is told of what happens to their account, and has a way to say that it was not
them). A way in that its owner does not know is critical, mail that goes elsewhere high. It closes by no read of
anything else: whoever found out what it was says so (`doubts.settle`), and not who did it.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from postroom.models import Doubt
from postroom.posture.findings import Found
from postroom.posture.run import Check, reading


def evaluate(doubts: Iterable[Doubt]) -> Iterator[Found]:
    for one in doubts:
        if one.settled_at is None:
            yield Found(
                one.severity, "mailboxes", one.mailbox_id, one.mailbox.label,
                f"The owner of {one.mailbox.label} does not know what was done to it", str(one.pk),
                client=one.client_id, domain=one.mailbox.address.domain_id, kind="doubts.settle",
                evidence={"entry": one.entry, "change": one.said, "then": one.happened.isoformat(timespec="seconds"),
                          "said": one.made.isoformat(timespec="seconds")},
                params={"doubt": str(one.pk)},
            )  # fmt: skip


def _read(now: datetime) -> Iterator[Found]:
    rows = Doubt.objects.filter(settled_at=None).select_related("mailbox__address")
    return evaluate(rows.order_by("id"))


NOT_KNOWN = Check(
    "mailboxes.not_known", "Is there a change that a mailbox's owner does not know?", "NIST SP 800-63B-4, 4.6", 15,
    reading(_read),
)  # fmt: skip
