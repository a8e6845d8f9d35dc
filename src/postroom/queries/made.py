"""Who made a row, and who let that through, as the record has it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q

from postroom.access.acting import acted, current
from postroom.access.scope import changes_seen, visible
from postroom.models import Approval, Change, Person, RecordedEdit

from .changes import shown as as_lines

NOT_SEEN = "somebody you do not see"


@dataclass(frozen=True)
class Made:
    """Who asked for a row, when, and who approved it: nobody, where it waited for nobody."""

    change: str
    by: str
    at: datetime
    approved_by: tuple[str, ...] = ()


def makers(rows: Iterable[UUID]) -> Mapping[UUID, Made]:
    """Of these rows, those whose making is for who asks to see: four queries. A rule is made when its row is, when it
    comes back or is made again, and when it leads elsewhere than before."""
    moved = Q(before__isnull=True) | Q(after__has_any_keys=["removed_at", "made", "targets", "target", "alias_of_id"])
    edits = RecordedEdit.objects.filter(moved, row__in=set(rows), n__gt=0).order_by("entry_id")
    entries = {edit.row: edit.entry_id for edit in edits if not (edit.after or {}).get("removed_at")}
    heads = RecordedEdit.objects.filter(entry_id__in=set(entries.values()), n=0, table="changes")
    changes = dict(heads.values_list("entry_id", "row"))
    made = Change.objects.filter(changes_seen(), pk__in=set(changes.values())).select_related(
        "client", "proposer", "undone_by", "erased_by"
    )
    lines = {one["id"]: one for one in as_lines(list(made))}
    known = ((row, lines.get(str(changes.get(entry)))) for row, entry in entries.items())
    return {row: _made(line) for row, line in known if line}


def agreed(made: Mapping[UUID, Made], rows: Iterable[UUID]) -> dict[UUID, Made]:
    """The same of some of these rows, with who approved each. Three queries: a join to people would leave out whoever
    is not seen, and with them that anybody agreed."""
    known = {row: made[row] for row in rows if row in made}
    changes = {UUID(one.change) for one in known.values()}
    approvals = Approval.objects.filter(change__in=changes, void=False).order_by("at").values_list("change", "person")
    found = list(approvals) if changes else []
    people = {person for _, person in found}
    names = dict(visible(current().actor, Person).filter(pk__in=people).values_list("pk", "name"))
    names |= acted(people - names.keys())
    by: dict[str, list[str]] = {}
    for change, person in found:
        by.setdefault(str(change), []).append(names.get(person, NOT_SEEN))
    return {row: replace(one, approved_by=tuple(by.get(one.change, ()))) for row, one in known.items()}


def _made(line: Mapping[str, Any]) -> Made:
    who = line["proposer"]
    return Made(line["id"], who["name"] if who else line["actor"], datetime.fromisoformat(line["now"]))


def said_of(one: Made | None) -> dict[str, Any]:
    """Who asked and who approved, as the API shows it of an exception; nothing where that is not theirs to see."""
    if one is None:
        return {"change": None, "asked_by": None, "approved_by": None}
    return {"change": one.change, "asked_by": one.by, "approved_by": list(one.approved_by)}
