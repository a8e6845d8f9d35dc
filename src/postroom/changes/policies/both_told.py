"""What somebody has to know of never moves in silence: an address they sign in with, or get back in by, and where
filters of theirs pass nothing on."""

from postroom.changes.policy import Proposed, Verdict, refuse
from postroom.models import Letter, Person, RecoveryChannel, RedirectStop


def both_told(proposed: Proposed) -> Verdict | None:
    """Refuse what moves a person's address without a letter to both, or names or ends a recovery channel, or a stop of
    a redirect, without one to its mailbox; an undo is one way to try."""
    letters = [move.then for move in proposed.moves(Letter) if move.then]
    told = {(row["person_id"], row["contact"]) for row in letters}
    told_of = {row["about"] for row in letters if row["mailbox_id"]}
    if any((move.opens or move.closes) and move.edit.id not in told_of for move in proposed.moves(RecoveryChannel)):
        return refuse(both_told, "a way back into a mailbox goes by recovery_channels.end, which tells who has to know")
    stops = [move.then or move.now or {} for move in proposed.moves(RedirectStop)]
    of_boxes = {(row["mailbox_id"], row["about"]) for row in letters}
    if any((row["mailbox_id"], row["target"]) not in of_boxes for row in stops):
        return refuse(both_told, "a redirect goes on again by redirects.resume, which tells its owner")
    for move in proposed.moves(Person):
        if not move.now or not move.then or move.now["email"] == move.then["email"]:
            continue
        if {(move.edit.id, move.now["email"]), (move.edit.id, move.then["email"])} - told:
            return refuse(both_told, "an address is changed by people.change, which tells the old one and the new one")
    return None
