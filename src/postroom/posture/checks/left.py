"""People and mailboxes that their client said have left, and that still get in.

NIST SP 800-53 r5, AC-2 (3) (disable accounts within a time when they are no longer used) and PS-4 (personnel
termination). It closes when a read shows the mailbox or person suspended or removed, or when the client says otherwise;
the answer alone suspends nothing.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from django.db.models import Exists, OuterRef, Q

from postroom.models import Mailbox, Person, RoundLine
from postroom.models.rounds import answered_since
from postroom.posture.findings import Found
from postroom.posture.run import Check, reading

SUSPEND = {"mailboxes": ("mailboxes.suspend", "mailbox"), "people": ("people.suspend", "person")}


def evaluate(lines: Iterable[RoundLine]) -> Iterator[Found]:
    """Each of these was answered *left* last, and is neither suspended nor removed."""
    for one in lines:
        kind, param = SUSPEND[one.noun]
        said = one.answered_at.isoformat(timespec="seconds") if one.answered_at else None
        yield Found(
            "high", one.noun, one.object, one.name, f"{one.name} has left, and is not suspended", "left",
            client=one.client_id, evidence={"answered": said, "note": one.note, "told_by_phone": one.on_behalf},
            kind=kind, params={param: one.name},
        )  # fmt: skip


def _read(now: datetime) -> Iterator[Found]:
    active = [
        Exists(model.objects.filter(pk=OuterRef("object"), suspended_at=None, removed_at=None))
        for model in (Mailbox, Person)
    ]
    rows = RoundLine.objects.filter(Q(*active, _connector=Q.OR), answer="left", client__removed_at=None)
    return evaluate(rows.exclude(answered_since()).order_by("id"))


LEFT = Check("roster.left", "Is whoever left suspended?", "NIST SP 800-53 r5, PS-4", 60, reading(_read))
