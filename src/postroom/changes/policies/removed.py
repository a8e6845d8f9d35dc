"""What is removed stays as it is until it is restored: a client, and of a client that stays, a domain."""

from uuid import UUID

from postroom.changes.policy import Move, Proposed, Verdict, refuse
from postroom.models import Client, Domain


def removed(proposed: Proposed) -> Verdict | None:
    """Refuse whatever is not restoring it, at a removed client or domain, and does more than close."""
    if not proposed.access.actor.somebody and proposed.access.actor.sort == "system":
        return None  # what follows from a change that is done: nodes and zones are told of the removal itself
    moves = list(proposed.moves())
    client = Client.objects.filter(pk=proposed.plan.client, removed_at__isnull=False).first()
    if client and not _comes_back(moves, "clients", client.pk) and not all(map(_closes, moves)):
        return refuse(removed, f"{client.name} is removed: restore it first")
    gone = Domain.objects.filter(pk__in=[one for one in proposed.domains() if one], removed_at__isnull=False)
    for domain in gone.order_by("name"):
        if not _comes_back(moves, "domains", domain.pk) and not all(map(_closes, moves)):
            return refuse(removed, f"{domain.name} is removed: restore it first")
    return None


def _comes_back(moves: list[Move], table: str, which: UUID) -> bool:
    return any(
        m.edit.table == table and m.edit.id == str(which) and m.then is not None and not m.then["removed_at"]
        for m in moves
    )


def _closes(move: Move) -> bool:
    """It ends, goes or is suspended; nothing opens by it, and nothing else of it changes."""
    if move.opens:
        return False
    if move.only_closes or move.then is None:
        return True
    after, ends = move.edit.after or {}, {"ended_at", "removed_at", "suspended_at", "access_epoch"}
    return move.edit.before is not None and after.keys() <= ends and all(after.values())
