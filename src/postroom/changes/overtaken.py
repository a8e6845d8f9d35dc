"""Whether another change came between the first row read for a plan and the lock under which it is written."""

from collections.abc import Mapping, Sequence

from django.db import connection

from .plan import Plan
from .stale import moved

# Of a row: who wrote it last had not committed when `begun` was taken. Row versions bear 32 bits of the number of their
# transaction: of one before the last round of these numbers it is said too, which costs a plan and nothing else.
SINCE = """%(begun)s <> '' AND NOT pg_visible_in_snapshot(
    ((pg_snapshot_xmax(nullif(%(begun)s, '')::pg_snapshot)::text::bigint >> 32 << 32 | xmin::text::bigint)::text)::xid8,
    nullif(%(begun)s, '')::pg_snapshot)"""


def snapshot() -> str:
    """What is committed by now, as the database writes it down (PostgreSQL: pg_current_snapshot)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_snapshot()::text")
        return str(cursor.fetchone()[0])


def in_what(plan: Plan, anew: Plan, read_elsewhere: Mapping[str, Sequence[str]]) -> str:
    """Which row that it would write is another one now; or only that one is that it read."""
    now = {(e.table, e.id): e.before for e in anew.edits}
    others = [e for e in plan.edits if e.before is not None and now.get((e.table, e.id), e.before) != e.before]
    if not others:
        return "another change came before it: look again"
    return moved(others[:1], read_elsewhere.get(others[0].table, []))
