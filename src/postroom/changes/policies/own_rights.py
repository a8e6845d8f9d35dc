"""An access review is signed by who may approve there, by nobody for themselves; an undo takes no signature back."""

from postroom.access.roles import APPROVE
from postroom.changes.policy import Proposed, Verdict, refuse
from postroom.models import RoundLine
from postroom.models.rounds import RIGHTS


def own_rights(proposed: Proposed) -> Verdict | None:
    """Refuse a signature about one's own rights, and any by somebody who may approve nothing at this client."""
    signed = [move.now for move in proposed.moves(RoundLine) if move.now and move.now["noun"] in RIGHTS]
    access = proposed.access
    if not signed or not access.actor.somebody:
        return None
    if access.actor.sort != "person" or not access.can(APPROVE, proposed.plan.client):
        return refuse(own_rights, "only who may approve changes here signs an access review, or takes a signature back")
    if own := [str(row["name"]) for row in signed if row["person_id"] == str(access.actor.person)]:
        return refuse(own_rights, f"nobody signs their own rights: {', '.join(own[:3])}")
    return None
