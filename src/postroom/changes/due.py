"""By the clock: one table, one reader. What ends by time has ended already, by predicate; this tidies."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, Q

from postroom.access.acting import CLOCK, acting_as
from postroom.models import Approval, Change, Due

from .plan import Plan


@dataclass(frozen=True)
class Ends:
    """Rows of a table end by the time in `column`; the clock then submits `kind` with the row as `param`."""

    kind: str
    param: str
    column: str = "until"


ENDS: dict[str, Ends] = {}  # table → who tidies; handed over by the catalogue


def enqueue(change: Change, plan: Plan) -> None:
    """Written by apply, from the edits: whatever now ends by time has its line."""
    lines = []
    for table, edits in plan.by_table.items():
        if ends := ENDS.get(table):
            lines += [
                Due(at=e.after[ends.column], client_id=e.client, kind=ends.kind, params={ends.param: e.id})
                for e in edits
                if e.after and e.after.get(ends.column)
            ]
    if lines:
        Due.objects.bulk_create(lines)


def brought_forward(change: Change, which: tuple[str, str, str] | None) -> None:
    """What waits for its time waits no more: what somebody approved is the clock's at once, what is held is applied by
    its approval. What waits because nobody could approve it waits on."""
    if which is None:
        return
    kind, parameter, value = which
    asked = Change.objects.filter(kind=kind, client=change.client_id, at__gt=change.now)
    asked = asked.filter(**{f"params__{parameter}": value})
    approved = Exists(Approval.objects.filter(change=OuterRef("pk"), void=False))
    found = list(asked.filter(Q(stage="held") | Q(approved, stage="scheduled")).values_list("pk", flat=True))
    Change.objects.filter(pk__in=found).update(at=change.now)
    Due.objects.filter(change__in=found, kind="").update(at=change.now)


def waiting(now: datetime, *, at_most: int = 100) -> list[Due]:
    """Lines whose time has come, without the time itself: one that cannot be read must not hide the others."""
    with acting_as(CLOCK):
        return list(Due.objects.filter(at__lte=now).order_by("at").defer("at")[:at_most])


def later(due: Due, when: datetime) -> None:
    """Looked at again then, whatever becomes of this try: a line that cannot be done holds up no other."""
    with acting_as(CLOCK):
        Due.objects.filter(pk=due.pk).update(at=when)


def done(due: Due) -> None:
    with acting_as(CLOCK):
        Due.objects.filter(pk=due.pk).delete()
