"""The fold: all edits of a row laid one over the other are what the row shall be now. Held against the tables.
Where changes stand is held against their moves beside it (moves.py).

Slice by slice over the ids of rows, each slice one statement and so one snapshot: a change that is applied meanwhile is
in both or in neither. What a slice holds in memory does not grow with the record.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

from django.db import connection

from postroom.access.acting import SYSTEM, acting_as
from postroom.models import Row
from postroom.models.base import state_models

from . import moves

AT_ONCE = 20_000  # edits, those of stages and sign-ins included
LAST = UUID(int=2**128 - 1)
CUT = 'SELECT "row" FROM edits WHERE "row" >= %s ORDER BY "row" OFFSET %s LIMIT 1'
# Made more often than it went: it stands. An edit whose rows are both blank was erased; such a row is not known.
SAID = """
said AS (
  SELECT e."table" AS t, e."row" AS id, postroom_laid(e.after ORDER BY e.entry_id, e.n) AS r,
    count(*) FILTER (WHERE e.before IS NULL AND e.after IS NOT NULL)
      > count(*) FILTER (WHERE e.after IS NULL AND e.before IS NOT NULL) AS stands,
    bool_or(e.before IS NULL AND e.after IS NULL) AS erased
  FROM edits e WHERE e."row" BETWEEN %(first)s AND %(last)s AND e."table" = ANY (%(tables)s) GROUP BY 1, 2
)
"""
# Rows that are not known come last and take no place of those that are: each erasure leaves one here for good.
# A column that was added since the row was made is as the model says; one that is no longer there is not compared.
DIFFERING = """
SELECT coalesce(s.t, l.t), coalesce(s.id, l.id), CASE WHEN s.stands THEN coalesce(l.said, '{}') || s.r END, l.r,
  coalesce(s.erased, false)
FROM said s FULL JOIN live l ON l.t = s.t AND l.id = s.id
WHERE (s.stands IS TRUE) <> (l.r IS NOT NULL) OR l.said || s.r || l.r <> l.said || s.r
ORDER BY coalesce(s.erased, false) LIMIT %(at_most)s + (SELECT count(*) FROM said WHERE erased)
"""
VERSIONS = """
SELECT 'clients', c.id, coalesce((SELECT max(e.version) FROM entries e WHERE e.client_id = c.id), 0), c.version
  FROM clients c
UNION ALL SELECT 'organizations', o.id,
  coalesce((SELECT max(e.version) FROM entries e WHERE e.client_id IS NULL AND e.version IS NOT NULL), 0), o.version
  FROM organizations o
"""


@dataclass(frozen=True)
class Differs:
    """A row that is not as the record says. recorded, live: None where there shall be, or is, no such row.

    erased: an edit of it was erased, so what it shall be is not known.
    """

    table: str
    id: UUID
    recorded: Row | None
    live: Row | None
    erased: bool = False

    def fields(self) -> tuple[Row | None, Row | None]:
        """(before, after): as recorded and as it is, of the fields that differ."""
        if self.recorded is None or self.live is None:
            return self.recorded, self.live
        names = [name for name, value in self.live.items() if self.recorded.get(name) != value]
        return {name: self.recorded.get(name) for name in names}, {name: self.live[name] for name in names}


def differing(at_most: int, at_once: int = AT_ONCE) -> Iterator[Differs]:
    """Every row of state that differs from its fold, and every change from its last move; then versions.
    Transactions of its own.

    at_most: of a slice at least so many that are known, if there are; those that were erased are beside them.
    """
    first: UUID | None = UUID(int=0)
    while first is not None:
        with acting_as(SYSTEM):
            last = _cut(first, at_once)
            found = _slice(first, last, at_most) + _moves(first, last, at_most)
        yield from found
        first = UUID(int=last.int + 1) if last != LAST else None
    with acting_as(SYSTEM):
        versions = _rows(VERSIONS, [])
    yield from (Differs(t, id, {"version": said}, {"version": is_}) for t, id, said, is_ in versions if said != is_)


def _cut(first: UUID, at_once: int) -> UUID:
    found = _rows(CUT, [first, at_once])
    return found[0][0] if found else LAST


def _slice(first: UUID, last: UUID, at_most: int) -> list[Differs]:
    tables = state_models()
    values = {table: json.dumps(model.defaults()) for table, model in tables.items()}
    _rows("SELECT set_config('jit', 'off', true)", [])  # to compile so wide a statement takes longer than to run it
    about = {"first": first, "last": last, "tables": list(tables), "at_most": at_most}
    found = _rows(_statement(), {**about, **values})
    return [Differs(t, id, _read(said), _read(live), erased) for t, id, said, live, erased in found]


def _moves(first: UUID, last: UUID, at_most: int) -> list[Differs]:
    found = _rows(moves.MOVES, moves.values(first, last, at_most))
    return [Differs(moves.TABLE, id, _read(said), _read(live)) for id, said, live in found]


@cache
def _statement() -> str:
    """Every state table as (table, id, what a new row of it is, the row as edits would say it). Names are ours."""
    arms = []
    for table, model in state_models().items():
        pairs = ", ".join(f"'{name}', o.\"{name}\"" for name in model.columns())
        arms.append(
            f"SELECT '{table}'::text AS t, o.id, %({table})s::jsonb AS said, jsonb_build_object({pairs}) AS r"
            f" FROM {table} o WHERE o.id BETWEEN %(first)s AND %(last)s"
        )
    return f"WITH {SAID}, live AS ({' UNION ALL '.join(arms)}) {DIFFERING}"


def _rows(statement: str, values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def _read(row: Any) -> Row | None:
    found: Row | None = json.loads(row) if isinstance(row, str) else row
    return found
