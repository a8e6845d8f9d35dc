"""Going back: the edits that take a change back where it still stands. Towards less access only.

A row that gave access and has ended stays ended; a deleted secret stays deleted. What is left out is said.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from postroom.models import Change, Invite, RecordedEdit, Row, Secret, StateModel

from .edit import Edit, edit, end, model_of
from .history import Key, Rows, edits_of, family, standing
from .plan import LeftOut, Planned
from .state import State

AGAIN = "access is given again, never rolled back to"
GOES_ANYWAY = ("secrets", "record_sets")  # later changes of these rows went with them: the zone gets `found` back


def back_before(change: Change, state: State) -> Iterator[Planned]:
    """Undo: what this change and its follow-ups did, taken back field by field where it still stands so."""
    done = edits_of(family(change))
    now = standing({(e.table, e.row) for e in done})
    wanted = _one_a_row(done)
    gone = {key for key, (first, _) in wanted.items() if first.before is None}
    for key, (first, last) in sorted(wanted.items(), key=lambda pair: (pair[0][0], str(pair[0][1]))):
        yield from _row_back(key, first, last, now, gone, state)


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


def _row_back(
    key: Key, first: RecordedEdit, last: RecordedEdit, now: Rows, gone: set[Key], state: State
) -> Iterator[Planned]:
    table, id = key[0], str(key[1])
    row, access = now.get(key), model_of(key[0]).grants_access
    if first.before is None and last.after is None:
        return
    if first.before is None:
        yield from _unmake(table, id, last, row, gone, state)
    elif last.after is None:
        made_again = Edit(table, id, None, first.before, first.client_id)
        yield (
            LeftOut(table, id, AGAIN)
            if access
            else made_again
            if row is None
            else LeftOut(table, id, "made anew since")
        )
    elif row is None:
        yield LeftOut(table, id, "gone since")
    else:
        yield from _fields_back(table, id, first.before, last.after, row, first)


def _fields_back(table: str, id: str, before: Row, after: Row, row: Row, e: RecordedEdit) -> Iterator[Planned]:
    still = [name for name in before if row.get(name) == after.get(name)]
    if moved := sorted(before.keys() - set(still)):
        yield LeftOut(table, id, f"{', '.join(moved)} changed again since")
    then = {name: before[name] for name in still}
    model = model_of(table)
    if model.grants_access and not model.opens({**row, **then}) <= model.opens(row):
        yield LeftOut(table, id, AGAIN)
    elif then:
        yield Edit(table, id, {name: row[name] for name in then}, then, e.client_id)


def _unmake(
    table: str, id: str, last: RecordedEdit, row: Row | None, gone: set[Key], state: State
) -> Iterator[Planned]:
    """A row this change made: it goes; or ends, or is removed softly, where something hangs on it."""
    model = model_of(table)
    if row is None:
        return
    whole = model.objects.get(pk=id)
    if "ended_at" in row:
        yield edit(whole, ended_at=state.now) if row["ended_at"] is None else LeftOut(table, id, "ended already")
    elif "removed_at" in row and (_hangs(whole, gone) or row != last.after):
        yield from _removed(whole, state)
    elif row == last.after or table in GOES_ANYWAY:
        yield end(whole)
    else:
        yield LeftOut(table, id, "changed again since")


def _removed(whole: StateModel, state: State) -> Iterator[Planned]:
    values: dict[str, Any] = {"removed_at": state.now}
    yield edit(whole, **values)
    for secret in Secret.objects.filter(owner_row=whole.pk):
        yield end(secret)
    for invite in Invite.objects.filter(mailbox_id=whole.pk, ended_at=None, used_at=None):
        yield edit(invite, ended_at=state.now)


def _hangs(whole: StateModel, gone: set[Key]) -> bool:
    """Whether a row that stays, or only ends, refers to this one."""
    if Secret.objects.filter(owner_row=whole.pk).exclude(pk__in=[id for t, id in gone if t == "secrets"]).exists():
        return True
    for relation in whole._meta.related_objects:
        model = relation.related_model
        if not (isinstance(model, type) and issubclass(model, StateModel)):
            continue
        stays = "ended_at" in model.columns()
        held = model.objects.filter(**{relation.field.name: whole.pk})
        made_here = [id for t, id in gone if t == model._meta.db_table]
        if (held if stays else held.exclude(pk__in=made_here)).exists():
            return True
    return False
