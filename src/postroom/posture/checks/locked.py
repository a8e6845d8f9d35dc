"""A verified reset that is locked: three answers were wrong within an hour, so somebody tries to get into a mailbox.

NIST SP 800-63B-4, 3.2.2 (throttling). Critical while it is locked: every owner gets a mail, once. It closes by itself
when the hour is over; what was tried stands in the record.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from postroom.models import Proof
from postroom.models.verifying import LOCKED, TRIES
from postroom.posture.findings import Found
from postroom.posture.run import Check, reading


def evaluate(wrong: Iterable[Proof]) -> Iterator[Found]:
    """Of the wrong answers of the last hour, mailboxes with three."""
    boxes: dict[object, list[Proof]] = {}
    for one in wrong:
        boxes.setdefault(one.verification.mailbox_id, []).append(one)
    for found in boxes.values():
        if len(found) >= TRIES:
            box = found[0].verification.mailbox
            times = [one.made.isoformat(timespec="seconds") for one in found]
            yield Found(
                "critical", "mailboxes", box.pk, box.label, f"Somebody tries to get into {box.label} by a reset",
                "locked", client=box.client_id, domain=box.address.domain_id, evidence={"wrong_answers": times},
            )  # fmt: skip


def _read(now: datetime) -> Iterator[Found]:
    rows = Proof.objects.filter(good=False, made__gt=now - LOCKED)
    return evaluate(rows.select_related("verification__mailbox__address").order_by("id"))


RESET_LOCKED = Check(
    "resets.locked", "Does somebody guess their way into a mailbox?", "NIST SP 800-63B-4, 3.2.2", 15, reading(_read)
)
