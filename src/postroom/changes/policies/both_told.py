"""An address that somebody signs in with never moves in silence: the old one and the new one are told of it."""

from postroom.changes.policy import Proposed, Verdict, refuse
from postroom.models import Letter, Person


def both_told(proposed: Proposed) -> Verdict | None:
    """Refuse what moves a person's address without a letter to both; an undo is one way to try."""
    told = {(move.then["person_id"], move.then["contact"]) for move in proposed.moves(Letter) if move.then}
    for move in proposed.moves(Person):
        if not move.now or not move.then or move.now["email"] == move.then["email"]:
            continue
        if {(move.edit.id, move.now["email"]), (move.edit.id, move.then["email"])} - told:
            return refuse(both_told, "an address is changed by people.change, which tells the old one and the new one")
    return None
