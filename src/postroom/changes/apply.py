"""The only writer of state.

ONE transaction: lock the client's row → judge again, on the rows as they are now → plan again, if another change came
between (overtaken.py) → append the entry with its edits → compare every `before` → write the state *from the edits just
recorded* → enqueue deliveries.
State that is not in the record cannot be written here, because the record is where it is read from.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from psycopg import errors
from psycopg.errors import Diagnostic

from postroom.models import Change, RecordSet, Review, Secret
from postroom.models.base import state_models

from . import deliver, due, erase, overtaken
from .approved import altered, lapsed
from .back import used_since
from .edit import model_of
from .errors import ChangeError
from .plan import Plan
from .policy import Proposed, Verdict, judge
from .readings import moved_since
from .record import append
from .stale import moved
from .state import State

REVIEWED_WITHIN = timedelta(hours=72)
Secrets = Mapping[str, str]  # purpose → value; in this call's memory and nowhere else


class NotApplied(ChangeError):
    """Nothing was written. `stage` is where the change goes, `verdicts` say why."""

    def __init__(self, stage: str, *verdicts: Verdict) -> None:
        super().__init__(f"{stage}: " + "; ".join(v.reason for v in verdicts))
        self.stage, self.verdicts = stage, verdicts


def apply(proposed: Proposed, *, secrets: Secrets | None = None) -> Change:
    """Write the plan, or raise NotApplied and leave everything as it was."""
    try:
        with transaction.atomic():
            return _apply(proposed, secrets or {})
    except IntegrityError as clash:
        raise _clash(clash) from clash


def _apply(proposed: Proposed, secrets: Secrets) -> Change:
    change, plan, was = proposed.change, proposed.plan, proposed.change.stage
    if not change._state.adding and (wrong := altered(change, plan)):
        raise NotApplied("stale", Verdict("plan", "refuse", wrong))
    version, moved_on = lock(plan, proposed.begun)
    change.version = version + 1
    _judge_again(proposed)
    if moved_on and proposed.again is not None:
        plan = _planned_again(proposed, proposed.again)
        _judge_again(proposed)
    if moved := moved_since(plan) or erase.erased_since(plan) or used_since(plan):
        raise NotApplied("stale", Verdict("state", "refuse", moved))
    change.stage = "applied" if deliver.unfinished(change, plan) else "verified"
    change.plan = None
    change.save(force_insert=change._state.adding)
    entry = append(change, was=None if was == "proposed" else was, edits=plan.edits)
    with _writing(change.pk):
        _write(entry, plan, secrets)
        _set_version(plan, change.version)
    _link(change)
    due.brought_forward(change, proposed.kind.hastens)
    erase.carry(entry, plan)
    due.enqueue(change, plan)
    deliver.enqueue(change, entry, plan)
    return change


def _link(change: Change) -> None:
    """What was taken back says by what; what nobody held back says who looks at it afterwards."""
    if change.undoes_id:
        Change.objects.filter(pk=change.undoes_id).update(undone_by=change)
    for verdict in change.verdicts:
        if verdict["says"] == "mark":
            until = change.now + REVIEWED_WITHIN
            Review.objects.create(change=change, client_id=change.client_id, reason=verdict["reason"], until=until)


def lock(plan: Plan, begun: str = "") -> tuple[int, bool]:
    """Lock the row all changes of this client queue up at; return its version, and whether another change came before
    this one since the snapshot `begun`. A client being made has no version."""
    table, which = _head(plan)
    asked, moved_on = {"client": plan.client, "begun": begun}, False
    with connection.cursor() as cursor:
        if plan.client:  # a change of the organization waits for running ones, and these see it or come before it
            cursor.execute(f"SELECT {overtaken.SINCE} FROM organizations FOR SHARE", asked)
            moved_on = any(row[0] for row in cursor.fetchall())
        cursor.execute(f"SELECT version, {overtaken.SINCE} FROM {table} WHERE id = {which} FOR NO KEY UPDATE", asked)
        row = cursor.fetchone()
    return (row[0], moved_on or row[1]) if row else (0, moved_on)


def _planned_again(proposed: Proposed, again: Callable[[], tuple[Plan, State]]) -> Plan:
    """A plan rests on more rows than it writes, each read as it stood at that moment. So one that another change
    overtook is made again under the lock, where nothing moves, and has to come out the same."""
    plan, proposed.state = again()
    if plan.hash != proposed.plan.hash:
        raise NotApplied("stale", Verdict("state", "refuse", overtaken.in_what(proposed.plan, plan, READ_ELSEWHERE)))
    return plan


def _set_version(plan: Plan, version: int) -> None:
    table, which = _head(plan)
    with connection.cursor() as cursor:
        asked = {"version": version, "client": plan.client}
        cursor.execute(f"UPDATE {table} SET version = %(version)s WHERE id = {which}", asked)


def _head(plan: Plan) -> tuple[str, str]:
    """The row that is lock and version of this change's history; there is one organization."""
    return ("clients", "%(client)s") if plan.client else ("organizations", "coalesce(%(client)s, id)")


def _judge_again(proposed: Proposed) -> None:
    proposed.look_again()
    verdicts = judge(proposed)
    marks = [v for v in verdicts if v.says == "mark"]
    proposed.change.verdicts += [vars(v) for v in marks if vars(v) not in proposed.change.verdicts]
    seen = {(v["policy"], v["reason"]) for v in proposed.change.verdicts}
    if any(v.says == "refuse" or (v.says == "hold" and (v.policy, v.reason) not in seen) for v in verdicts):
        raise NotApplied("held", *verdicts)
    if (over := lapsed(proposed.change)) is not None:
        raise NotApplied("held", *verdicts, over)


@contextmanager
def _writing(change: UUID) -> Iterator[None]:
    """Let the state trigger through, for this stretch of this transaction only."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('postroom.change', %s, true)", [str(change)])
        yield
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SELECT set_config('postroom.change', '', true)")


def _write(entry: int, plan: Plan, secrets: Secrets) -> None:
    """Rows that go make room first; constraints that look across tables are asked once, at the end."""
    tables = plan.by_table.items()
    gone = {table: ids for table, edits in tables if (ids := {e.id for e in edits if e.after is None})}
    for table, ids in gone.items():
        _if_as_planned(plan, table, ids - _run(DELETE, entry, table))
    for table, edits in tables:
        if staying := {e.id for e in edits if e.before is not None and e.after is not None}:
            _if_as_planned(plan, table, staying - _run(UPDATE, entry, table))
        if made := {e.id for e in edits if e.before is None}:
            _insert(entry, table, made, secrets)
    _refuse_orphans([id for ids in gone.values() for id in ids])


# State is written from the edits of the entry, and a row only if every field of `before` is as it was:
# laying `before` over the row changes nothing.
OF_ENTRY = """e.entry_id = %(entry)s AND e."table" = '{table}'"""
AS_PLANNED = """e."row" = t.id AND now.r || (e.before - %(read)s::text[]) = now.r"""
# What a zone holds is compared with its newest reading, not with what we last wished for (readings.moved_since).
READ_ELSEWHERE = {RecordSet._meta.db_table: ["ttl", "values"]}
# A plan that waited may be older than a column: of what it does not say, the default stands, as in every reading of it.
INSERT = (
    "INSERT INTO {table} ({columns}) SELECT {r_columns} FROM edits e,"
    " jsonb_populate_record(NULL::{table}, %(defaults)s::jsonb || e.after) r"
    f" WHERE {OF_ENTRY} AND e.before IS NULL"
)
UPDATE = (
    "UPDATE {table} t SET ({columns}) = (SELECT {r_columns} FROM jsonb_populate_record(t, e.after) r)"
    " FROM edits e, {table} o, LATERAL (SELECT jsonb_build_object({pairs})) now(r)"
    f" WHERE {OF_ENTRY} AND e.before IS NOT NULL AND e.after IS NOT NULL AND o.id = t.id AND {AS_PLANNED}"
    " RETURNING t.id"
)
DELETE = (
    "DELETE FROM {table} t USING edits e, {table} o, LATERAL (SELECT jsonb_build_object({pairs})) now(r)"
    f" WHERE {OF_ENTRY} AND e.before IS NOT NULL AND e.after IS NULL AND o.id = t.id AND {AS_PLANNED} RETURNING t.id"
)
INSERT_SECRETS = (
    "INSERT INTO secrets ({columns}, value) SELECT {r_columns}, v.value"
    " FROM edits e, jsonb_populate_record(NULL::secrets, e.after) r"
    " JOIN unnest(%(purposes)s::text[], %(values)s::text[]) v(purpose, value) ON v.purpose = r.purpose"
    f" WHERE {OF_ENTRY} AND e.before IS NULL RETURNING id"
)


@cache
def _sql(template: str, table: str) -> str:
    columns = model_of(table).columns()
    return template.format(
        table=table,
        columns=", ".join(f'"{name}"' for name in columns),
        r_columns=", ".join(f'r."{name}"' for name in columns),
        pairs=", ".join(f"'{name}', o.\"{name}\"" for name in columns),
    )


def _run(template: str, entry: int, table: str, **values: str | list[str]) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(_sql(template, table), {"entry": entry, "read": READ_ELSEWHERE.get(table, []), **values})
        return {str(id) for (id,) in cursor.fetchall()} if cursor.description else set()


def _if_as_planned(plan: Plan, table: str, not_written: set[str]) -> None:
    if not_written:
        edits = [e for e in plan.by_table[table] if e.id in not_written]
        raise NotApplied("stale", Verdict("state", "refuse", moved(edits, READ_ELSEWHERE.get(table, []))))


def _insert(entry: int, table: str, made: set[str], secrets: Secrets) -> None:
    if table != Secret._meta.db_table:
        _run(INSERT, entry, table, defaults=json.dumps(model_of(table).defaults()))
    elif made - _run(INSERT_SECRETS, entry, table, purposes=list(secrets), values=list(secrets.values())):
        raise NotApplied("refused", Verdict("secrets", "refuse", "the value is no longer in memory; set it anew"))


def _refuse_orphans(gone: list[str]) -> None:
    """A row that goes takes its secrets along, by edits that say so: they never come back with it."""
    if gone and Secret.objects.filter(owner_row__in=gone).exists():
        raise NotApplied("refused", Verdict("secrets", "refuse", "its secrets have to go with it"))


def _clash(clash: IntegrityError) -> Exception:
    """What the database would not let stand, in our words. Never by whom: it may be another client's."""
    match clash.__cause__:
        case errors.UniqueViolation(diag=diag):
            return NotApplied("refused", Verdict("state", "refuse", f"already taken by another {_noun(diag)}"))
        case errors.ForeignKeyViolation(diag=diag):
            return NotApplied("refused", Verdict("state", "refuse", f"something still hangs on it: {_noun(diag)}"))
    return clash


def _noun(diag: Diagnostic) -> str:
    """What people call rows of that table; a constraint's name, or the value, is nobody's business."""
    model = state_models().get(diag.table_name or "")
    return str(model._meta.verbose_name) if model else "row"
