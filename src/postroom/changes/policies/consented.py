"""Into a person's mailbox nobody is let without its owner, and never in silence: whatever kind planned it."""

from collections.abc import Iterator

from postroom.changes.policy import Move, Proposed, Verdict, refuse
from postroom.models import Delegation, Letter, Mailbox
from postroom.models.delegations import OWNER, wanted

ASKED = frozenset({"asked"})


def consented(proposed: Proposed) -> Verdict | None:
    """Refuse a delegation of a person's mailbox that starts without every consent, its owner's by anybody else, or one
    that starts or ends without a letter; an undo is one way to try."""
    moves = [m for m in proposed.moves(Delegation) if m.opens or m.closes or "owner_at" in (m.edit.after or {})]
    if not moves:
        return None
    boxes = Mailbox.objects.in_bulk([_row(m)["mailbox_id"] for m in moves])
    asked = {str(pk): wanted(box) for pk, box in boxes.items()}
    owns = proposed.access.own.mailbox if proposed.access.own else None
    for m in moves:
        wants = asked[str(_row(m)["mailbox_id"])]
        signs = bool((m.edit.after or {}).get("owner_at")) and str(owns) != str(_row(m)["mailbox_id"])
        if signs or (m.opens - ASKED and any(_missing(m, wants))):
            return refuse(
                consented, "the owner of a mailbox lets others in, signed in to it, and nobody in their stead"
            )
    told = {(m.then or {})["about"] for m in proposed.moves(Letter) if m.then and m.then["mailbox_id"]}
    if any(OWNER in asked[str(_row(m)["mailbox_id"])] and not _told(m, told, moves) for m in moves):
        return refuse(consented, "delegations.end ends it, which tells who has to know; so does asking for it anew")
    return None


def _row(move: Move) -> dict[str, str]:
    return move.then or move.now or {}


def _missing(move: Move, wants: list[str]) -> Iterator[str]:
    yield from (one for one in wants if not _row(move)[f"{one}_at"])


def _told(move: Move, told: set[str], moves: list[Move]) -> bool:
    """Of one that ends as another begins for the same two, the letter of the other says it."""
    if move.edit.id in told or not (move.opens or move.closes):
        return True
    pair = (_row(move)["mailbox_id"], _row(move)["to_mailbox_id"])
    begun = [m for m in moves if m.opens - ASKED and (_row(m)["mailbox_id"], _row(m)["to_mailbox_id"]) == pair]
    return not move.opens and any(m.edit.id in told for m in begun)
