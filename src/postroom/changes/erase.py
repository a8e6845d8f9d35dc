"""Erasure: what named lines of the record hold goes for good; their hashes stay, so the record still verifies.

A change makes a row of `erasures`, which names the lines; the database blanks these, and nothing else, in the same
transaction (sql/record.sql). Which fields there were is kept in that row, so that a history that meets such a line
says *erased*, and nothing that never stood there.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.db import connection

from postroom.models import Erasure, RecordedEdit, Row
from postroom.protocols import entry

from .edit import Edit
from .plan import Plan

ERASED = "erased"  # in the place of a value that stood there
# Of a head: no content, or an id alone.
KEPT = ("what", "kind", "stage", "version", "at", "actor", "proposer_id", "person")
IDS = ("id", "client_id")  # of a row: they stay
Lines = Sequence[RecordedEdit]


def outline(line: RecordedEdit) -> dict[str, Any]:
    """What the erasure says of a line: where it is, the names of its fields, and of a head what is nobody's secret."""
    after = line.after or {}
    kept = {name: after[name] for name in KEPT if name in after} if line.n == 0 else {}
    said = {"n": line.n, "table": line.table, "row": str(line.row), "kept": kept}
    return said | {side: _fields(getattr(line, side)) for side in ("before", "after")}


def _fields(row: Row | None) -> list[str] | None:
    return None if row is None else sorted(row)


def erased_since(plan: Plan) -> str:
    """Which line of this plan's erasures was erased since it was made; empty where none was."""
    for wanted in _made(plan):
        numbers = [line["n"] for line in wanted["lines"]]
        gone = RecordedEdit.objects.filter(entry=wanted["entry_id"], n__in=numbers, hashed__isnull=False).first()
        if gone:
            return f"line {gone.entry_id}.{gone.n} was erased since"
    return ""


def carry(entry_id: int, plan: Plan) -> None:
    """Called by apply, when entry and rows are written: blank what the erasures of this plan name."""
    with connection.cursor() as cursor:
        for which in sorted({wanted["entry_id"] for wanted in _made(plan)}):
            hashes = list(map(hashed, RecordedEdit.objects.filter(entry=which).order_by("n")))
            cursor.execute("SELECT record_erase(%s, %s, %s)", [entry_id, which, hashes])


def _made(plan: Plan) -> Iterator[Row]:
    yield from (e.after for e in plan.on(Erasure) if e.after is not None and e.before is None)


def hashed(line: RecordedEdit) -> bytes:
    """The salted hash of a line, as it stands in its entry's leaf."""
    if line.hashed is not None:
        return bytes(line.hashed)
    edit = Edit(line.table, str(line.row), line.before, line.after, None)
    return entry.salted(bytes(line.salt), edit.canonical)


def told(lines: Iterable[RecordedEdit]) -> list[RecordedEdit]:
    """The same lines, where one was erased with *erased* in each of its fields. One query, and none where none was."""
    lines = list(lines)
    gone = {line.entry_id for line in lines if line.hashed is not None}
    said = {
        (row.entry_id, one["n"]): one
        for row in (Erasure.objects.filter(entry__in=gone) if gone else ())
        for one in row.lines
    }
    for line in lines:
        if line.hashed is not None:
            one = said.get((line.entry_id, line.n), {"before": [], "after": []})
            line.before, line.after = (_masked(line, one[side]) for side in ("before", "after"))
    return lines


def _masked(line: RecordedEdit, fields: list[str] | None) -> Row | None:
    if fields is None:
        return None
    ids = {"id": str(line.row), "client_id": line.client_id and str(line.client_id)}
    return {name: ids[name] if name in IDS else ERASED for name in fields}
