"""Going back: the edits that take a change back where it still stands. Towards less access only.

A row that gave access and has ended stays ended; a deleted secret stays deleted. What is left out is said.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from uuid import UUID

from django.utils import timezone

from postroom.models import Change, RecordedEdit, Row, Secret, StateModel
from postroom.models.base import made_at

from .edit import Edit, edit, end, model_of
from .errors import Problem
from .history import Key, Rows, edits_of, family, standing
from .kind import KINDS
from .plan import LeftOut, Plan, Planned
from .state import State

RRSET = {"ttl", "values", "ours"}
RESTORABLE_DAYS = 30  # what was removed comes back within, by whatever way
AGAIN = "access is given again, never rolled back to"
SOON = timedelta(minutes=30)  # later, mail may lie there: nobody else is given the address
GOES_ANYWAY = ("secrets", "record_sets")  # later changes of these rows went with them: the zone gets `found` back


def back_before(change: Change, state: State) -> Iterator[Planned]:
    """Undo: what this change and its follow-ups did, taken back field by field where it still stands so."""
    done = edits_of(family(change))
    if any(e.hashed is not None for e in done):
        raise Problem("change", "what it did was erased from the record: there is nothing to go back to")
    now = standing({(e.table, e.row) for e in done})
    wanted = _one_a_row(done)
    made = {key: last for key, (first, last) in wanted.items() if first.before is None and key in now}
    going = _going(made, now, used=state.now - change.now >= SOON)
    with_it = _stays_with(made, going, now)
    for key, (first, last) in sorted(wanted.items(), key=lambda pair: (pair[0][0], str(pair[0][1]))):
        if key in made:
            yield from () if key in with_it else _unmake(key, last, now[key], key in going, state)
        else:
            yield from _row_back(key, first, last, now.get(key), state)


def used_since(plan: Plan) -> str:
    """Why a plan that waited unmakes nothing that mail may lie in by now; empty where it may. Asks no database."""
    rows = [UUID(e.id) for table, edits in plan.by_table.items() if model_of(table).holds_mail
            for e in edits if e.after is None]  # fmt: skip
    late = any(timezone.now() - made_at(row) >= SOON for row in rows)
    return "mail may lie there by now, so it would be removed and not unmade: plan it again" if late else ""


def _one_a_row(done: Iterable[RecordedEdit]) -> dict[Key, tuple[RecordedEdit, RecordedEdit]]:
    """Per row, the first edit (whose before is where to go) and one holding all that was set since."""
    rows: dict[Key, tuple[RecordedEdit, RecordedEdit]] = {}
    for e in done:
        key = (e.table, e.row)
        if key not in rows:
            rows[key] = (e, e)
            continue
        first, last = rows[key]
        before = None if first.before is None else {**(e.before or {}), **first.before}
        after = None if e.after is None else {**(last.after or {}), **e.after}
        rows[key] = (
            RecordedEdit(table=e.table, row=e.row, before=before, client_id=e.client_id),
            RecordedEdit(table=e.table, row=e.row, after=after, client_id=e.client_id),
        )
    return rows


def _row_back(key: Key, first: RecordedEdit, last: RecordedEdit, row: Row | None, state: State) -> Iterator[Planned]:
    """A row that was there before this change: again, if it went; with the fields it had, if it stayed."""
    table, id = key[0], str(key[1])
    if first.before is None:
        return  # made by it, and gone since: as it shall be
    if last.after is not None:
        if row is None:
            yield LeftOut(table, id, "gone since")
        elif _long_removed(first.before, row, state):
            yield LeftOut(table, id, f"removed more than {RESTORABLE_DAYS} days ago")
        else:
            yield from _fields_back(table, id, first.before, last.after, row, first)
    elif model_of(table).grants_access:
        yield LeftOut(table, id, AGAIN)
    elif row is None:
        yield Edit(table, id, None, first.before, first.client_id)
    else:
        yield LeftOut(table, id, "made anew since")


def _long_removed(before: Row, row: Row, state: State) -> bool:
    """Whether it would come back from a removal that nobody may take back any more."""
    removed = row.get("removed_at")
    if not removed or before.get("removed_at", removed) is not None:
        return False
    return (state.now - datetime.fromisoformat(removed)).days > RESTORABLE_DAYS


def _fields_back(table: str, id: str, before: Row, after: Row, row: Row, e: RecordedEdit) -> Iterator[Planned]:
    model = model_of(table)
    if before.keys() <= model.only_forward:
        yield LeftOut(table, id, "sessions that were ended stay ended")
        return
    still = [name for name in before if row.get(name) == after.get(name)]
    if table == "record_sets" and not RRSET & before.keys() <= set(still):  # TTL and values are one thing in a zone
        still = [name for name in still if name not in RRSET]
    if moved := sorted(before.keys() - set(still)):
        yield LeftOut(table, id, f"{', '.join(moved)} changed again since")
    then = {name: before[name] for name in still}
    if table == "record_sets" and then.keys() & {"ttl", "values"}:
        then = {"ttl": row["ttl"], "values": row["values"], **then}
    then = {name: value for name, value in then.items() if name not in model.only_forward}
    if model.grants_access and not model.opens({**row, **then}) <= model.opens(row):
        yield LeftOut(table, id, AGAIN)
    elif then:
        yield Edit(table, id, {name: row[name] for name in then}, then, e.client_id)


def _going(made: dict[Key, RecordedEdit], now: Rows, *, used: bool) -> set[Key]:
    """Of the rows it made, those that can go as a whole: as they were made, with nothing on them that stays."""
    going = {
        key
        for key, last in made.items()
        if not (used and model_of(key[0]).holds_mail)
        and "ended_at" not in now[key]
        and (now[key] == last.after or key[0] in GOES_ANYWAY)
    }
    while stays := {key for key in going if _hangs(key, going)} | (going & _stays_with(made, going, now)):
        going -= stays
    return going


def _stays_with(made: dict[Key, RecordedEdit], going: set[Key], now: Rows) -> set[Key]:
    """Rows it made that belong to one that is only removed softly: they stay as they are, and come back with it."""
    softly = {key for key in made if key not in going and "removed_at" in now[key]}
    below: set[Key] = set()
    while more := {key for key in made.keys() - below if _refers(now[key]) & {str(id) for _, id in softly | below}}:
        below |= more
    return below


def _refers(row: Row) -> set[str]:
    return {str(value) for name, value in row.items() if value and (name.endswith("_id") or name == "owner_row")}


def _unmake(key: Key, last: RecordedEdit, row: Row, goes: bool, state: State) -> Iterator[Planned]:
    """A row this change made: it goes; or ends, or is removed softly, where something hangs on it."""
    table, id = key[0], str(key[1])
    whole = model_of(table).objects.get(pk=id)
    if whole.for_good:
        yield LeftOut(table, id, "it cannot be taken back")
    elif "ended_at" in row:
        yield edit(whole, ended_at=state.now) if row["ended_at"] is None else LeftOut(table, id, "ended already")
    elif goes:
        yield end(whole)
    elif "removed_at" in row:
        yield from _removed(whole, state)
    elif row == last.after:
        yield LeftOut(table, id, "something that stays hangs on it")
    else:
        yield LeftOut(table, id, "changed again since")


def _removed(whole: StateModel, state: State) -> Iterator[Planned]:
    """As its own kind of removal does it: what goes along with it, and what stands in the way, is known there."""
    table = whole._meta.db_table
    kind = KINDS.get(f"{table}.remove") or KINDS[f"{table}.end"]
    param = next(iter(kind.model_fields))
    try:
        yield from kind.model_validate({param: str(whole.pk)}).plan(state)
    except Problem as problem:
        yield LeftOut(whole._meta.db_table, str(whole.pk), problem.what)


def _hangs(key: Key, going: set[Key]) -> bool:
    """Whether a row that stays, or only ends, refers to this one."""
    table, id = key
    if Secret.objects.filter(owner_row=id).exclude(pk__in=[one for t, one in going if t == "secrets"]).exists():
        return True
    for relation in model_of(table)._meta.related_objects:
        model = relation.related_model
        if not (isinstance(model, type) and issubclass(model, StateModel)):
            continue
        along = [one for t, one in going if t == model._meta.db_table]
        if model.objects.filter(**{relation.field.name: id}).exclude(pk__in=along).exists():
            return True
    return False
