"""What was answered in a round that is over stays answered: it is corrected by an answer, and never by going back.

Over: a later round of the sort has opened; or, of an access review, every line of it is signed. Then the client's
people rely on it, and an undo would leave a line that nobody signed in a review that was complete.
"""

from uuid import UUID

from postroom.changes.policy import Proposed, Verdict, refuse
from postroom.models import Round, RoundLine
from postroom.models.rounds import ACCESS


def closed_round(proposed: Proposed) -> Verdict | None:
    """Refuse an undo of answers in a round that is closed, or in an access review that is signed as a whole."""
    if proposed.kind.takes_back is None:
        return None
    for round in {str(move.now["round_id"]) for move in proposed.moves(RoundLine) if move.now}:
        if why := _over(UUID(round)):
            return refuse(closed_round, f"{why}: answer the line again instead, where it may still be corrected")
    return None


def _over(which: UUID) -> str:
    round = Round.objects.get(pk=which)
    if Round.objects.filter(client=round.client_id, sort=round.sort, quarter__gt=round.quarter).exists():
        return f"the {round.sort} of {round.quarter} is closed"
    if round.sort == ACCESS and not round.lines.filter(answer="").exists():
        return f"the {round.sort} of {round.quarter} is signed, line by line"
    return ""
