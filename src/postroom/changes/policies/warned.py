"""Whom a notice warns is warned: no person takes the link away again, least of all who is meant to be stopped."""

from postroom.changes.policy import Move, Proposed, Verdict, refuse
from postroom.models import Invite, Secret

WANTS_ANOTHER = "mailboxes.resume"  # with `new_password`
LOST_MAILBOX = "mailbox"  # what the link of such an invite recovers (kinds/own_secrets.py)


def warned(proposed: Proposed) -> Verdict | None:
    """Refuse what a person would do to a notice or its link; an undo of them is one way to try."""
    if not proposed.access.actor.somebody:
        return None
    wants = proposed.kind.permission == WANTS_ANOTHER
    moves = [move for move in proposed.moves(Invite) if not _goes_along(move) and not (wants and _leads_back(move))]
    rows = [move.now or move.then or {} for move in moves]
    owners = {str((move.now or move.then or {})["owner_row"]) for move in proposed.moves(Secret) if move.then}
    gone = {str(move.now["owner_row"]) for move in proposed.moves(Secret) if move.now and not move.then}
    touched = any(row["stops_id"] or row["recovers"] for row in rows)
    if touched or _warn(owners) or _warn(gone, but=LOST_MAILBOX):
        return refuse(warned, "a notice or a recovery ends by its link or its time, and by nobody's hand")
    return None


def _goes_along(move: Move) -> bool:
    """Whether it is the link of a lost mailbox, and ends: with the mailbox, with the address that it went to, or since
    others verified the owner. Anybody asks for such a link, so it stands in nobody's way, and warns of nothing."""
    return bool(move.now and move.now["recovers"] == LOST_MAILBOX and move.then and move.then["ended_at"])


def _leads_back(move: Move) -> bool:
    """Whether it is a new link for the owner of a mailbox who has to set another password: the kind says to whom."""
    return move.now is None and bool(move.then and move.then["recovers"] == LOST_MAILBOX)


def _warn(owners: set[str], but: str = "") -> bool:
    return bool(owners) and Invite.objects.filter(pk__in=owners).exclude(stops=None, recovers__in=("", but)).exists()
