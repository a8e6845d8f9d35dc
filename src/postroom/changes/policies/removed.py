"""What is removed stays as it is until it is restored: a client, and of a client that stays, a domain."""

from django.db import connection

from postroom.changes.policy import Move, Proposed, Verdict, refuse
from postroom.models import Letter

ALIAS, LETTERS = "alias", Letter._meta.db_table
# Asked twice of every change: one statement, written out, takes a quarter of what two of Django's do.
GONE = """
SELECT 'clients' AS which, id::text, name FROM clients WHERE id = %s AND removed_at IS NOT NULL
UNION ALL SELECT CASE WHEN removed_at IS NULL THEN 'alias' ELSE 'domains' END, id::text, name FROM domains
  WHERE id = ANY (%s::uuid[]) AND (removed_at IS NOT NULL OR alias_of_id IS NOT NULL)
ORDER BY which, name
"""


def removed(proposed: Proposed) -> Verdict | None:
    """Refuse whatever is not restoring it, at a removed client or domain, and does more than close."""
    if not proposed.access.actor.somebody and proposed.access.actor.sort == "system":
        return None  # what follows from a change that is done: nodes and zones are told of the removal itself
    moves = list(proposed.moves())
    for table, which, name in places(proposed):
        if table == ALIAS:
            continue
        if not _comes_back(moves, table, which) and not only_closes(moves):
            return refuse(removed, f"{name} is removed: restore it first")
    return None


def places(proposed: Proposed) -> list[tuple[str, str, str]]:
    """(table, id, name) of the client and the domains of this plan that are removed, the client first; as ALIAS, of
    those domains that are an alias of another."""
    if "places" not in proposed.asked:
        domains = [one for one in proposed.domains() if one]
        with connection.cursor() as cursor:
            cursor.execute(GONE, [proposed.plan.client, domains])
            proposed.asked["places"] = cursor.fetchall()
    return proposed.asked["places"]  # type: ignore[return-value]


def _comes_back(moves: list[Move], table: str, which: str) -> bool:
    return any(
        m.edit.table == table and m.edit.id == which and m.then is not None and not m.then["removed_at"] for m in moves
    )


def only_closes(moves: list[Move]) -> bool:
    """Somebody may be told of what ends: who answers for an exception is asked what becomes of its forward."""
    ends = [m for m in moves if not (m.now is None and m.edit.table == LETTERS)]
    return bool(ends) and all(map(_closes, ends))


def _closes(move: Move) -> bool:
    """It ends, goes or is suspended; nothing opens by it, and nothing else of it changes."""
    if move.opens:
        return False
    if move.only_closes or move.then is None:
        return True
    after, ends = move.edit.after or {}, {"ended_at", "removed_at", "suspended_at", "access_epoch"}
    return move.edit.before is not None and after.keys() <= ends and all(after.values())
