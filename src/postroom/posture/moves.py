"""Where each change stands, held against the newest entry of its moves: who asked for what, why, and how far it came.

A change is no row of state: it moves from stage to stage, and every move is an entry whose first line holds all of what
is compared here (changes/record.py). Verdicts are not: reasons that are gone are dropped without one.
"""

from typing import Any
from uuid import UUID

from postroom.models import Change

# As a head names them; a head that was written before a name came is not held against it.
COMPARED = (
    "kind", "params", "actor", "proposer_id", "why", "ticket", "plan_hash", "version", "stage", "token_id", "batch_id",
    "caused_by_id", "undoes_id", "replans_id", "client_id", "mailbox_id",
)  # fmt: skip
TABLE = Change._meta.db_table
# Erasing any head of a change forgets what was asked, why, and the hash of the plan beside the record too (record.sql):
# these are not known then. What the newest head said, if it was itself erased, is not known at all.
FORGOTTEN = ("params", "why", "ticket", "plan_hash")
_LIVE = ", ".join(f"'{name}', c.\"{name}\"" for name in COMPARED)
MOVES = f"""
WITH heads AS (
  SELECT h."row" AS id, (array_agg(h.after ORDER BY h.entry_id DESC))[1] AS after,
    (array_agg(h.hashed IS NOT NULL ORDER BY h.entry_id DESC))[1] AS blank, bool_or(h.hashed IS NOT NULL) AS erased
  FROM edits h WHERE h."row" BETWEEN %(first)s AND %(last)s AND h.n = 0 AND h."table" = '{TABLE}' GROUP BY 1
), said AS (
  SELECT id, blank, (after - 'at' - 'verdicts') - CASE WHEN erased THEN %(forgotten)s ELSE '{{}}' END::text[] AS r
  FROM heads
), live AS (
  SELECT c.id, jsonb_build_object({_LIVE}) AS r FROM {TABLE} c WHERE c.id BETWEEN %(first)s AND %(last)s
)
SELECT coalesce(s.id, l.id), CASE WHEN s.id IS NOT NULL THEN coalesce(l.r, '{{}}') || coalesce(s.r, '{{}}') END, l.r
FROM said s FULL JOIN live l ON l.id = s.id
WHERE s.id IS NULL OR l.id IS NULL OR NOT s.blank AND l.r || s.r <> l.r LIMIT %(at_most)s
"""


def values(first: UUID, last: UUID, at_most: int) -> dict[str, Any]:
    """What MOVES is asked with: changes of these ids, both included."""
    return {"first": first, "last": last, "at_most": at_most, "forgotten": list(FORGOTTEN)}
