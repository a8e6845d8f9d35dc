"""Whom a notice warns is warned: no person takes the link away again, least of all who is meant to be stopped."""

from postroom.changes.policy import Proposed, Verdict, refuse
from postroom.models import Invite, Secret


def warned(proposed: Proposed) -> Verdict | None:
    """Refuse what a person would do to a notice or its link; an undo of them is one way to try."""
    if not proposed.access.actor.somebody:
        return None
    rows = [move.now or move.then or {} for move in proposed.moves(Invite)]
    owners = {str((move.now or move.then or {})["owner_row"]) for move in proposed.moves(Secret)}
    touched = any(row["stops_id"] or row["recovers"] for row in rows)
    if touched or (owners and Invite.objects.filter(pk__in=owners).exclude(stops=None, recovers="").exists()):
        return refuse(warned, "a notice or a recovery ends by its link or its time, and by nobody's hand")
    return None
