"""A frozen client, or a frozen organization, changes in nothing but what only closes access."""

from postroom.changes.freeze import freeze_over, in_words
from postroom.changes.policy import Move, Proposed, Verdict, mark, refuse

QUIET = ("invites", "secrets")  # a link or a secret that goes along with what closes opens nothing by itself
SIGNING_IN = {"api_sessions", "secrets"}  # who may end a freeze has to be able to sign in for it


def frozen(proposed: Proposed) -> Verdict | None:
    """Refuse what opens or alters during a freeze; let through, marked, what only closes or ends the freeze."""
    freeze = freeze_over(proposed.plan.client)
    if freeze is None:
        return None
    moves = list(proposed.moves())
    if "api_sessions" in proposed.plan.by_table.keys() <= SIGNING_IN:
        return None
    if all(_only_closes(move) or _ends_freeze(move) for move in moves):
        return mark(frozen, f"during freeze: {in_words(freeze)}")
    return refuse(frozen, f"frozen: {in_words(freeze)}")


def _only_closes(move: Move) -> bool:
    return move.only_closes or (move.edit.table in QUIET and not move.opens and bool(move.closes))


def _ends_freeze(move: Move) -> bool:
    return move.edit.table == "freezes" and move.edit.before == {"ended_at": None}
