"""An address that somebody signs in with, or gets back in by, never moves in silence: both ends are told of it."""

from postroom.changes.policy import Proposed, Verdict, refuse
from postroom.models import Letter, Person, RecoveryChannel


def both_told(proposed: Proposed) -> Verdict | None:
    """Refuse what moves a person's address without a letter to both, or names or ends a recovery channel without one
    to its mailbox; an undo is one way to try."""
    letters = [move.then for move in proposed.moves(Letter) if move.then]
    told = {(row["person_id"], row["contact"]) for row in letters}
    told_of = {row["about"] for row in letters if row["mailbox_id"]}
    if any((move.opens or move.closes) and move.edit.id not in told_of for move in proposed.moves(RecoveryChannel)):
        return refuse(both_told, "a way back into a mailbox goes by recovery_channels.end, which tells who has to know")
    for move in proposed.moves(Person):
        if not move.now or not move.then or move.now["email"] == move.then["email"]:
            continue
        if {(move.edit.id, move.now["email"]), (move.edit.id, move.then["email"])} - told:
            return refuse(both_told, "an address is changed by people.change, which tells the old one and the new one")
    return None
